import { createHash } from 'node:crypto';

/** What the host tells about getting an image ready. */
export function pullLines(image: string, isNew: boolean): string[] {
  const [repository = image, tag = 'latest'] = image.split(':');
  const hash = (salt: string): string => createHash('sha256').update(image + salt).digest('hex');
  const digest = `Digest: sha256:${hash('digest')}`;
  const begin = [`create container ${image}`, `${tag} Pulling from ${repository}`];
  if (!isNew) return [...begin, digest, `Status: Image is up to date for ${image}`];
  const layers = Array.from({ length: 5 }, (_, i) => hash(String(i)).slice(0, 12));
  return [
    ...begin,
    ...layers.map((layer) => `${layer} Pulling fs layer`),
    ...layers.flatMap((layer, i) => [`${layer} Downloading [${'='.repeat(8 * (i + 1))}>] ${(i + 1) * 412}MB/${(i + 1) * 824}MB`, `${layer} Download complete`]),
    ...layers.map((layer) => `${layer} Pull complete`),
    digest,
    `Status: Downloaded newer image for ${image}`,
  ];
}

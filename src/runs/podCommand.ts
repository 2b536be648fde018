export interface PodCommand {
  readonly command: string;
  /** Absolute, or below the pod's mount path; that path itself unless told. */
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A path on the pod, absolute where the pod has a mount path; `undefined` is the login's home. */
export function onPod(path: string | undefined, mount: string | undefined): string | undefined {
  if (path === undefined || path === '') return mount;
  if (path.startsWith('/')) return path;
  return mount === undefined ? path : `${mount.replace(/\/+$/, '')}/${path}`;
}

import type { CreatePodRequest } from '../runpod/types';

/**
 * The CUDA version that an image's name says it is built for: `12.8` of `…-cu1281-…`, `…-cuda12.8.1-…` or `nvidia/cuda:12.8.1-…`;
 * `undefined` where it says none.
 */
export function cudaOfImage(image: string): string | undefined {
  const [, major, minor] = /(?<![a-z0-9])cu(?:da)?[:_-]?(\d{2})\.?(\d)(?:\.?\d)?(?![\d.]*\d)/i.exec(image) ?? [];
  return major === undefined || minor === undefined ? undefined : `${Number(major)}.${minor}`;
}

/**
 * The same request with the CUDA version of its image as the least that the machine's driver must know, where it asks for
 * none. Without one RunPod may choose a machine on which the container never starts, and bills it all the same
 * (`nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8`).
 * @param image of the template, where the request names one that sets no versions itself
 */
export function withCudaFloor(request: CreatePodRequest, image: string | undefined = request.image): CreatePodRequest {
  const { gpu } = request;
  if (gpu === undefined || gpu.minCudaVersion !== undefined || (gpu.allowedCudaVersions?.length ?? 0) > 0 || /^AMD\b/i.test(gpu.id)) return request;
  const minCudaVersion = cudaOfImage(image ?? '');
  return minCudaVersion === undefined ? request : { ...request, gpu: { ...gpu, minCudaVersion } };
}

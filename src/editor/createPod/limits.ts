import { withGuard, type GuardUrls } from '../../pods/guard/args';
import { hasLimit, type GuardWish } from '../../pods/guard/wish';
import type { CreatePodRequest, Template } from '../../runpod/types';

/**
 * The request with what keeps its limits on the pod: the guard in the start command where the image is known to run it; the
 * wish in a variable in any case, by which an editor arms the guard over SSH.
 */
export function withLimits(request: CreatePodRequest, limits: GuardWish | undefined, urls: GuardUrls, template: Template | undefined): CreatePodRequest {
  return hasLimit(limits) ? withGuard(request, limits, urls, template).request : request;
}

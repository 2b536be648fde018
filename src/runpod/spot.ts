import * as z from 'zod';
import { RunPodError, type RunPodErrorCode } from './errors';
import { meansNoCapacity } from './problem';
import { defined, FieldReader, isFields } from './read';
import type { ReadOptions, Transport } from './transport';
import type { Cloud, CreatePodRequest } from './types';

/** What a GPU type costs now on the spot market, in USD per hour of one GPU. */
export interface SpotMarket {
  /** The lowest bid that can win. */
  readonly minimumBid?: number;
  readonly onDemand?: number;
  /** `High`, `Medium`, `Low`; absent when there is none. */
  readonly stock?: string;
}

/** What REST does not tell of a pod. */
export interface SpotStanding {
  /** Whether others may outbid it. */
  readonly interruptible: boolean;
  /** USD per hour of one GPU; absent where RunPod does not say it of a stopped pod. */
  readonly bidPerGpu?: number;
}

/** How a pod ended, as `lastStatusChange` tells it; REST has no word for that. */
export type PodEnding = 'outbid' | 'by-user' | 'by-runpod' | 'unknown';

const marketQuery = `query ($id: String, $count: Int, $secure: Boolean) { gpuTypes(input: {id: $id}) { lowestPrice(input: {gpuCount: $count, secureCloud: $secure}) { minimumBidPrice uninterruptablePrice stockStatus } } }`;
const standingQuery = `query ($id: String) { pod(input: {podId: $id}) { id podType costPerHr gpuCount } }`;
const resumeMutation = `mutation ($input: PodBidResumeInput!) { podBidResume(input: $input) { id desiredStatus } }`;
const endingQuery = `query ($id: String) { pod(input: {podId: $id}) { id desiredStatus lastStatusChange } }`;
const rentMutation = `mutation ($input: PodRentInterruptableInput!) { podRentInterruptable(input: $input) { id } }`;

/** Spot pods, over the GraphQL API that is being retired: REST has none, and not every account still gets them. */
export class SpotApi {
  constructor(
    private readonly transport: Transport,
    /** Of the GraphQL API on its host. */
    private readonly path: string,
  ) {}

  /** @throws RunPodError */
  async market(gpuId: string, count: number, cloud: Cloud, options: ReadOptions = {}): Promise<SpotMarket> {
    const data = this.#data(await this.transport.query(this.path, { query: marketQuery, variables: { id: gpuId, count, secure: cloud === 'SECURE' } }, options), false);
    const price = data.list('gpuTypes', (row) => (isFields(row) ? new FieldReader(row).within('lowestPrice') : undefined))?.[0];
    const amount = z.number().positive();
    return defined({ minimumBid: price?.get('minimumBidPrice', amount), onDemand: price?.get('uninterruptablePrice', amount), stock: price?.get('stockStatus', z.string()) });
  }

  /**
   * Bids for a pod, once. An error with `maybeDone` means that it may exist and bill.
   * @param bidPerGpu USD per hour of one GPU
   * @returns the pod's id
   */
  async rent(request: CreatePodRequest, bidPerGpu: number): Promise<string> {
    const answer = await this.transport.write('POST', this.path, { query: rentMutation, variables: { input: inputOf(request, bidPerGpu) } }, { timeoutMs: this.transport.timings.createMs });
    const id = this.#data(answer, true).within('podRentInterruptable').get('id', z.string().min(1));
    // Null without an error is how GraphQL says that nothing was found.
    if (id === undefined) throw new RunPodError('no-capacity', { method: 'POST', path: this.path, status: 200, detail: 'No spot pod was given', maybeDone: true });
    return id;
  }

  /** Whether a pod is a spot pod, and what is bid for it. @throws RunPodError */
  async standing(podId: string, options: ReadOptions = {}): Promise<SpotStanding> {
    const pod = this.#data(await this.transport.query(this.path, { query: standingQuery, variables: { id: podId } }, options), false).within('pod');
    const cost = pod.get('costPerHr', z.number().positive());
    return { interruptible: pod.get('podType', z.string()) === 'INTERRUPTABLE', ...(cost === undefined ? {} : { bidPerGpu: cost / Math.max(1, pod.get('gpuCount', z.number()) ?? 1) }) };
  }

  /**
   * Bids for a stopped spot pod, once: it starts where nobody on its machine bids more.
   * @param bidPerGpu USD per hour of one GPU
   * @throws RunPodError; with `maybeDone` it may have started
   */
  async resume(podId: string, bidPerGpu: number, gpuCount: number): Promise<void> {
    const answer = await this.transport.write('POST', this.path, { query: resumeMutation, variables: { input: { podId, bidPerGpu, gpuCount } } });
    const pod = this.#data(answer, true).within('podBidResume');
    if (pod.get('id', z.string().min(1)) === undefined || pod.get('desiredStatus', z.string()) === 'EXITED')
      throw new RunPodError('no-capacity', { method: 'POST', path: this.path, status: 200, detail: 'The pod was not started for this bid', maybeDone: true });
  }

  /** How a pod ended; `unknown` where RunPod does not say. @throws RunPodError */
  async ending(podId: string, options: ReadOptions = {}): Promise<PodEnding> {
    const data = this.#data(await this.transport.query(this.path, { query: endingQuery, variables: { id: podId } }, options), false);
    return endingIn(data.within('pod').get('lastStatusChange', z.string()) ?? '');
  }

  #data(answer: unknown, write: boolean): FieldReader {
    const fields = new FieldReader(isFields(answer) ? answer : {});
    const words = fields.list('errors', (e) => (isFields(e) && typeof e['message'] === 'string' ? e['message'] : undefined))?.join('; ');
    if (words !== undefined && words !== '') {
      const code = codeOf(words);
      // Its errors all come with status 200; one that is not understood may hide that the work was done.
      throw new RunPodError(code, { method: 'POST', path: this.path, status: 200, detail: this.transport.wordsOf(words), maybeDone: write && code === 'server' });
    }
    return fields.within('data');
  }
}

function codeOf(words: string): RunPodErrorCode {
  if (meansNoCapacity(words)) return 'no-capacity';
  if (/unauthori[sz]ed|not authori[sz]ed|forbidden|permission|access denied/i.test(words)) return 'forbidden';
  if (/balance|insufficient funds|credit/i.test(words)) return 'payment-required';
  if (/cannot query field|unknown (?:type|argument)|no longer (?:supported|available)|deprecated|removed|not supported/i.test(words)) return 'gone';
  return 'server';
}

/** “Outbid: <date>”, “Exited by user: <date>”, “Exited by Runpod: <date>”. */
export function endingIn(lastStatusChange: string): PodEnding {
  if (/^outbid/i.test(lastStatusChange)) return 'outbid';
  if (/\bby user\b/i.test(lastStatusChange)) return 'by-user';
  return /\bby runpod\b/i.test(lastStatusChange) ? 'by-runpod' : 'unknown';
}

/** A create of REST in the fields of GraphQL. */
function inputOf(request: CreatePodRequest, bidPerGpu: number): Record<string, unknown> {
  const { mounts } = request;
  const volume = mounts?.network?.[0];
  return defined({
    bidPerGpu,
    cloudType: request.cloud ?? 'SECURE',
    gpuTypeId: request.gpu?.id,
    gpuCount: request.gpu?.count ?? 1,
    minCudaVersion: request.gpu?.minCudaVersion,
    name: request.name,
    imageName: request.image,
    templateId: request.templateId,
    dockerArgs: request.args ?? '',
    ports: request.ports?.join(','),
    env: Object.entries(request.env ?? {}).map(([key, value]) => ({ key, value })),
    containerDiskInGb: request.disk,
    volumeInGb: mounts?.persistent?.size ?? 0,
    volumeMountPath: mounts?.persistent?.path ?? volume?.path,
    networkVolumeId: volume?.volumeId,
    dataCenterId: request.dataCenterIds?.[0],
    startSsh: request.startSsh,
    startJupyter: request.startJupyter,
  });
}

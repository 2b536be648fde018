import { messageOf } from '../../src/base/errors';
import type { FaultRule } from './faults';
import type { LinkShape, LogSource } from './machine';
import { Problem, badRequest, notFound } from './problem';
import type { Reply } from './reply';
import { noContent, ok } from './reply';
import { problemReply } from './rest';
import type { SettingsPatch } from './settings';
import type { Permission } from './world';

/** What the control address can ask of a simulator. */
export interface Controls {
  state(): unknown;
  set(patch: SettingsPatch & { speed?: number; balance?: number }): void;
  advance(ms: number): void;
  fault(rule: FaultRule): number;
  clearFaults(id?: number): void;
  faults(): readonly FaultRule[];
  seen(): readonly unknown[];
  forgetRequests(): void;
  newKey(permission: Permission): string;
  link(pod: string, shape: LinkShape): void;
  cut(pod: string): void;
  answerAsStranger(pod: string): Promise<void>;
  answerAgain(pod: string): void;
  print(pod: string, source: LogSource, lines: readonly string[]): void;
  fail(pod: string, reason: string): void;
  outbid(pod: string): void;
  fill(pod: string, disk: 'container' | 'volume', freeBytes: number): Promise<void>;
  release(pod: string, disk: 'container' | 'volume'): Promise<void>;
  exec(pod: string, argv: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

interface ControlRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: () => Promise<Buffer>;
}

/** Faults and time by HTTP, for clients in other processes. README.md lists the addresses. */
export class ControlApi {
  constructor(private readonly controls: () => Controls) {}

  async answer(request: ControlRequest): Promise<Reply> {
    try {
      const text = (await request.body()).toString('utf8');
      return await this.#route(request.method, request.url.pathname.split('/').slice(2).map(decodeURIComponent), text === '' ? {} : (JSON.parse(text) as unknown));
    } catch (error) {
      return problemReply(error instanceof Problem ? error : badRequest(messageOf(error)));
    }
  }

  async #route(method: string, path: readonly string[], body: unknown): Promise<Reply> {
    const controls = this.controls();
    const [what = '', name = '', deed = ''] = path;
    switch (`${method} ${what}`) {
      case 'GET ':
        return ok(controls.state());
      case 'PATCH settings':
        controls.set(body as SettingsPatch);
        return ok(controls.state());
      case 'POST advance':
        controls.advance((body as { ms: number }).ms);
        return noContent;
      case 'GET faults':
        return ok(controls.faults());
      case 'POST faults':
        return ok({ id: controls.fault(body as FaultRule) });
      case 'DELETE faults':
        controls.clearFaults(name === '' ? undefined : Number(name));
        return noContent;
      case 'GET requests':
        return ok(controls.seen());
      case 'DELETE requests':
        controls.forgetRequests();
        return noContent;
      case 'POST keys':
        return ok({ apiKey: controls.newKey((body as { permission?: Permission }).permission ?? 'all') });
      case 'POST pods':
        return this.#pod(controls, name, deed, body);
      default:
        throw notFound('control');
    }
  }

  async #pod(controls: Controls, pod: string, deed: string, body: unknown): Promise<Reply> {
    switch (deed) {
      case 'link':
        controls.link(pod, body as LinkShape);
        return noContent;
      case 'cut':
        controls.cut(pod);
        return noContent;
      case 'stranger':
        await controls.answerAsStranger(pod);
        return noContent;
      case 'home':
        controls.answerAgain(pod);
        return noContent;
      case 'log': {
        const { source, line, count } = body as { source?: LogSource; line: string; count?: number };
        controls.print(pod, source ?? 'container', Array.from({ length: count ?? 1 }, () => line));
        return noContent;
      }
      case 'fail':
        controls.fail(pod, (body as { reason?: string }).reason ?? 'OCI runtime create failed');
        return noContent;
      case 'outbid':
        controls.outbid(pod);
        return noContent;
      case 'fill': {
        const { disk, freeBytes } = body as { disk?: 'container' | 'volume'; freeBytes?: number };
        await controls.fill(pod, disk ?? 'volume', freeBytes ?? 0);
        return noContent;
      }
      case 'release':
        await controls.release(pod, (body as { disk?: 'container' | 'volume' }).disk ?? 'volume');
        return noContent;
      case 'exec':
        return ok(await controls.exec(pod, (body as { argv: string[] }).argv));
      default:
        throw notFound('control');
    }
  }
}

import { stripVTControlCharacters } from 'node:util';
import { l10n, window, type Disposable, type OutputChannel } from 'vscode';
import { isCancelled } from '../base/errors';
import { capped } from '../base/log';
import type { Api } from './api';
import { explain } from './errorWords';

/** A pod's log in an output channel of its own, streamed while it is open to be read. */
export class PodLogs implements Disposable {
  #open = new Map<string, { channel: OutputChannel; controller: AbortController }>();

  constructor(private readonly api: Api) {}

  /** Shows the log, from its recent past on, and follows it. A second call brings the same channel to the front. */
  show(podId: string, name: string): void {
    const known = this.#open.get(podId);
    if (known) {
      known.channel.show(true);
      if (!known.controller.signal.aborted) return;
    }
    const channel = known?.channel ?? window.createOutputChannel(`RunPod: ${name}`);
    const controller = new AbortController();
    this.#open.set(podId, { channel, controller });
    channel.show(true);
    void this.#follow(podId, channel, controller);
  }

  /** The pod is gone: its log ends, the text stays to be read. */
  end(podId: string): void {
    this.#open.get(podId)?.controller.abort();
  }

  dispose(): void {
    for (const { channel, controller } of this.#open.values()) {
      controller.abort();
      channel.dispose();
    }
    this.#open.clear();
  }

  async #follow(podId: string, channel: OutputChannel, controller: AbortController): Promise<void> {
    try {
      const client = await this.api.client();
      for await (const line of client.pods.logs(podId, { tail: 500, signal: controller.signal })) {
        const text = capped(withoutEscapes(line.line));
        channel.appendLine(line.source === 'system' ? `· ${text}` : text);
      }
    } catch (error) {
      if (!isCancelled(error)) channel.appendLine(`— ${l10n.t('The log ended: {0}', explain(error).message)}`);
    } finally {
      // Shown again, it starts anew.
      controller.abort();
    }
  }
}

/** An output channel shows text only: colours and cursor moves go, and of a progress line its last state stays. */
const withoutEscapes = (text: string): string => stripVTControlCharacters(text).replace(/^.*\r(?=.)/, '');

import { sleep } from '../../src/base/time';
import { msToPaint } from '../host/driver/paint';
import { Editor } from '../host/story/editor';
import { ManyPods } from './manyPods';

export interface WindowFigures {
  readonly pods: number;
  /** From the press of Refresh Pods to the frame with the new rows, in a real window: request, list, extension host, DOM. */
  readonly paintMs: readonly number[];
}

/** A list of `count` pods in the real editor, painted anew `rounds` times. */
export async function measureWindow(count: number, rounds: number): Promise<WindowFigures> {
  const account = await ManyPods.start(count, { reachable: false });
  const editor = new Editor({ folder: 'none', simulator: false, settings: { 'runpod.api.graphqlUrl': '', 'runpod.api.restUrl': account.restUrl }, env: { RUNPOD_API_KEY: 'rpa_BENCH' } });
  try {
    await editor.start();
    await (await editor.sidebar()).waitFor(/llama-ft-0 /);
    const paintMs: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      // The editor gathers what a view tells for 200 ms after the last; nobody presses that often.
      await sleep(500);
      paintMs.push(await msToPaint(editor.page, `$${account.turn().toFixed(2)}/hr`));
    }
    // The first one compiles.
    return { pods: count, paintMs: paintMs.slice(1) };
  } finally {
    await editor.close();
    await account.close();
  }
}

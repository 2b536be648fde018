import { l10n, Uri, workspace, type Disposable } from 'vscode';
import type { PodSessions } from '../../pods/session';
import type { RunRef } from '../../runs/detached/layout';
import { readOutput } from '../../runs/detached/list';
import { plainText } from '../../runs/plainText';

/** Documents with what a run printed, as one would read it in a terminal. */
export const RUN_SCHEME = 'runpod-run';
/** Of a longer output the end. */
const READ_BYTES = 4 * 1024 * 1024;

export const outputUri = (ref: RunRef, title: string): Uri => Uri.from({ scheme: RUN_SCHEME, authority: ref.podId, path: `/${ref.id}/${title.replaceAll('/', '∕')}.log` });

export function registerOutputs(sessions: PodSessions): Disposable {
  return workspace.registerTextDocumentContentProvider(RUN_SCHEME, {
    provideTextDocumentContent: async ({ authority: podId, path }) => {
      const bytes = await readOutput(sessions.get(podId), { podId, id: path.split('/')[1] ?? '' }, READ_BYTES);
      const cut = bytes.length < READ_BYTES ? '' : `${l10n.t('… (the beginning is on the pod)')}\n`;
      return cut + plainText(bytes.toString());
    },
  });
}

import { l10n, type Uri } from 'vscode';
import { composeCommand } from '../../runs/command';
import { planRun, probeFile, pythonWords, readFacts, type FileFacts } from '../../runs/interpreter';
import { NoNotebookToolError } from '../../runs/notebook';
import { quote } from '../../base/shell';
import type { Pod } from '../../runpod/types';
import { settings } from '../settings';
import type { RunParts } from './pods';
import { withPatience } from '../progress';

const PROBE_DEADLINE_MS = 30_000;

/** How a file of a pod is run. */
export interface HowToRun {
  readonly command: string;
  /** What a person should know of it: the Python that was found. */
  readonly remarks: readonly string[];
}

/**
 * What runs a file, asked of the pod in one round trip.
 * @param scope where settings are looked up
 * @throws Error in words; NoNotebookToolError
 */
export async function howToRun(parts: RunParts, pod: Pod, path: string, root: string, scope: Uri): Promise<HowToRun> {
  const facts = await factsOf(parts, pod, path, root);
  const plan = planRun(path, facts, settings.interpreters(scope));
  switch (plan.kind) {
    case 'run': {
      const python = pythonWords(facts);
      return { command: plan.command, remarks: python === undefined ? [] : [python] };
    }
    case 'missing':
      throw new Error(l10n.t('{0} is not there on {1}. If ignore rules leave it out, a .runpodignore can take it back.', path, pod.name));
    case 'no-notebook-tool':
      throw new NoNotebookToolError(pod.id, pod.name, path, plan.install);
    case 'no-interpreter':
      throw new Error(
        plan.extension === ''
          ? l10n.t('Nothing says what runs {0}: it has no ending and no “#!” line. Make it executable, or name a command.', path)
          : l10n.t('Nothing says what runs files ending in {0}. The setting runpod.run.interpreters can.', plan.extension),
      );
  }
}

/** The Python that belongs to a file of a pod, or the pod's own, as shell text. */
export async function pythonFor(parts: RunParts, pod: Pod, path: string, root: string): Promise<string> {
  const facts = await factsOf(parts, pod, path, root);
  return facts.venvPython === undefined ? (facts.python?.endsWith('/python') ? 'python' : 'python3') : quote(facts.venvPython);
}

async function factsOf(parts: RunParts, pod: Pod, path: string, root: string): Promise<FileFacts> {
  const session = parts.sessions.get(pod.id);
  const said = await withPatience(l10n.t('Connecting to {0}…', pod.name), async (_report, signal) => {
    const { stdout } = await session.run(composeCommand({ command: probeFile(path, root) }), { deadlineMs: PROBE_DEADLINE_MS, signal });
    return stdout.toString();
  });
  return readFacts(said);
}

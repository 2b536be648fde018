// Runs the suite in a real extension host over a simulator of its own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/root.mjs';
import { RunFolder } from './driver/runFolder';
import { startSimulator } from './driver/simulator';
import { runSuiteInBrowser, runSuiteInElectron } from './driver/suite';

/** `RUNPOD_WORKSPACES_HOST=electron|browser` chooses; Linux machines seldom have a display, others nearly always do. */
function chosenHost(): 'electron' | 'browser' {
  const chosen = process.env['RUNPOD_WORKSPACES_HOST'];
  if (chosen === 'electron' || chosen === 'browser') return chosen;
  return process.platform === 'linux' ? 'browser' : 'electron';
}

async function main(): Promise<void> {
  const run = new RunFolder('suite');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const simulator = await startSimulator(run.file('simulator.log'));
  let passed = false;
  try {
    const only = process.argv.slice(2);
    passed = await (chosenHost() === 'electron' ? runSuiteInElectron : runSuiteInBrowser)({ simulator, only, run });
  } finally {
    if (!passed) report(run);
    await simulator.stop();
    run.remove();
  }
  process.exitCode = passed ? 0 : 1;
}

function report(run: RunFolder): void {
  const folder = join(root, 'out', 'failures');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'suite.log');
  writeFileSync(file, run.logs());
  console.log(`The logs of editor, extension host and simulator: ${file}`);
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

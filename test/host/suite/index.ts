import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';

/**
 * Runs every test of this folder inside the extension host; called by the editor.
 * Its report goes to the file `RUNPOD_SUITE_OUTPUT`, its numbers to `RUNPOD_TEST_COUNTS`.
 */
export async function run(): Promise<void> {
  process.setSourceMapsEnabled(true);
  const output = process.env['RUNPOD_SUITE_OUTPUT'];
  const say = (line: string): void => { if (output !== undefined) appendFileSync(output, `${line}\n`); };
  const mocha = new Mocha({ timeout: 200_000, color: false, forbidOnly: true, reporter: 'spec' });
  // Mocha writes its report through this function.
  Mocha.reporters.Base.consoleLog = (...words: unknown[]) => say(format(...words));
  const names = JSON.parse(readFileSync(join(__dirname, 'tests.json'), 'utf8')) as string[];
  for (const name of names) mocha.addFile(join(__dirname, name));
  try {
    const failures = await new Promise<number>((resolve) => {
      const failed: { title: string; why: string }[] = [];
      const runner = mocha.run(resolve);
      runner.on('fail', (test, error: unknown) => {
        failed.push({ title: test.titlePath().join(' › '), why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      });
      runner.once('end', () => {
        const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
        const counts = process.env['RUNPOD_TEST_COUNTS'];
        if (counts !== undefined) appendFileSync(counts, `${JSON.stringify({ passes, failures, pending, failed })}\n`);
      });
    });
    if (failures > 0) throw new Error(`${failures} failed`);
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    throw error;
  }
}

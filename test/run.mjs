// `npm test`: everything that gates, from a fresh machine on. Its last line is `N passed, N failed`.
import { availableParallelism } from 'node:os';
import { buildPart, storyParts, suitePart } from './host/parts.mjs';
import { conclude, node, runPart } from './setup/parts.mjs';
import { main, setUp } from './setup/setup.mjs';
import { packagePart, unitPart } from './setup/suites.mjs';

const results = [];

/** Runs parts one after the other; each tells its output when it is over, so that lanes don't mix theirs. */
async function lane(...parts) {
  for (const part of parts) {
    console.log(`▸ ${part.title}`);
    const result = await runPart(part, { live: false });
    console.log(`\n${result.failed > 0 ? '✗' : '✓'} ${result.title}, ${result.seconds.toFixed(1)} s\n${result.output.trimEnd()}\n`);
    results.push(result);
  }
}

const wentWell = await main(async () => {
  await setUp({ simulator: true, server: true, browser: true });
  await lane(buildPart());
  const whole = results.every((result) => result.failed === 0);
  const stories = whole ? storyParts() : [];
  /** Takes of the stories until none is left. */
  const tell = async () => {
    for (let story = stories.shift(); story !== undefined; story = stories.shift()) await lane(story);
  };
  const checks = [
    node('Types', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'], 5),
    node('Types of the pages', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'webview/costPanel'], 2),
    node('Lint', ['node_modules/eslint/bin/eslint.js', '.'], 8),
  ];
  // Unit tests mostly wait for sshd and timers: three at once leave room for a busy lane beside them.
  await Promise.all([
    lane(unitPart({ ignore: ['test/package.test.ts'], jobs: Math.max(3, availableParallelism() - 1) })).then(tell),
    lane(...checks, packagePart(), ...(whole ? [suitePart()] : [])).then(tell),
  ]);
});
if (!wentWell) results.push({ title: 'Set-up', passed: 0, failed: 1, seconds: 0, output: '' });
conclude(results);

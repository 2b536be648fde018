// Runs the parts of a test run, counts their mocha results and says how long each took.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './root.mjs';

/**
 * @typedef {object} Part
 * @property {string} title
 * @property {string} [group] what it is counted with in the closing lines; its title when not said
 * @property {string} command
 * @property {string[]} args
 * @property {number} minutes until it is ended and counts as failed
 * @property {NodeJS.ProcessEnv} [env]
 *
 * @typedef {{ title: string, why: string }} FailedTest
 * @typedef {{ title: string, group?: string, passed: number, failed: number, failedTests?: FailedTest[], seconds: number, output: string }} Result
 */

/** A part that is one of the project's Node scripts. */
export const node = (title, args, minutes, env) => ({ title, command: process.execPath, args, minutes, env });
/** A part that runs mocha over TypeScript. */
export const mocha = (title, args, minutes, env) =>
  node(title, ['--import', 'tsx', 'node_modules/mocha/bin/mocha.js', '--reporter', 'test/setup/reporter.cjs', ...args], minutes, env);

const running = new Set();
// A part has its own process group, so that all it started ends with it.
function end(child, signal) {
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch { /* already gone */ }
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of running) end(child, 'SIGTERM');
    setTimeout(() => process.exit(130), 3000).unref();
    if (running.size === 0) process.exit(130);
  });
}
process.on('exit', () => { for (const child of running) end(child, 'SIGKILL'); });

/**
 * @param {Part} part
 * @param {{ live: boolean }} how live: its output is shown as it comes, else it is kept for the result
 * @returns {Promise<Result>}
 */
export async function runPart(part, { live }) {
  const started = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'runpod-test-'));
  const counts = join(folder, 'counts');
  let output = '';
  const say = (text) => { if (live) process.stdout.write(text); else output += text; };
  const code = await new Promise((resolve) => {
    const child = spawn(part.command, part.args, {
      cwd: root,
      env: { ...process.env, ...part.env, RUNPOD_TEST_COUNTS: counts },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    running.add(child);
    const tooLong = setTimeout(() => {
      say(`\nEnded after ${part.minutes} minutes: it does not come to an end.\n`);
      end(child, 'SIGTERM');
      setTimeout(() => end(child, 'SIGKILL'), 5000).unref();
    }, part.minutes * 60_000);
    child.stdout.setEncoding('utf8').on('data', say);
    child.stderr.setEncoding('utf8').on('data', say);
    child.once('error', (error) => { say(`${error.message}\n`); resolve(-1); });
    // 'exit' and not 'close': a stray grandchild must not hold the result back.
    child.once('exit', (exitCode, signal) => {
      clearTimeout(tooLong);
      setImmediate(() => { end(child, 'SIGKILL'); running.delete(child); resolve(exitCode ?? signal); });
    });
  });
  const results = readCounts(counts);
  rmSync(folder, { recursive: true, force: true });
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  const passed = sum('passes');
  let failed = sum('failures');
  // A part that dies, or fails for another reason than a test, is a failure of its own.
  if (code !== 0 && failed === 0) {
    failed = 1;
    say(`\n${part.title}: ended with ${code}\n`);
  }
  if (sum('pending') > 0) say(`\n${part.title}: ${sum('pending')} not run here\n`);
  return { title: part.title, group: part.group, passed, failed, failedTests: results.flatMap((result) => result.failed ?? []), seconds: (Date.now() - started) / 1000, output };
}

function readCounts(file) {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

/** The closing lines: what failed, once more and together, then a line a part; the very last is `N passed, N failed`. Sets the exit code. */
export function conclude(results) {
  const passed = results.reduce((total, result) => total + result.passed, 0);
  const failed = results.reduce((total, result) => total + result.failed, 0);
  console.log('\n── In short');
  for (const { title, failedTests = [] } of results) {
    for (const test of failedTests) console.log(`\n✗ ${title}: ${test.title}\n${test.why.split('\n').slice(0, 12).map((line) => `    ${line}`).join('\n')}`);
  }
  console.log();
  results = together(results);
  const width = Math.max(...results.map((result) => result.title.length));
  for (const r of results) {
    const numbers = r.passed + r.failed > 0 ? `${r.passed} passed, ${r.failed} failed` : 'fine';
    console.log(`${r.failed > 0 ? '✗' : '✓'} ${r.title.padEnd(width)}  ${r.seconds.toFixed(1).padStart(6)} s  ${numbers}`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/** Parts of one group as one: their numbers and seconds added up. */
function together(results) {
  const groups = new Map();
  for (const { title, group = title, passed, failed, seconds } of results) {
    const sum = groups.get(group) ?? { title: group, passed: 0, failed: 0, seconds: 0 };
    groups.set(group, { title: group, passed: sum.passed + passed, failed: sum.failed + failed, seconds: sum.seconds + seconds });
  }
  return [...groups.values()];
}

import * as assert from 'node:assert/strict';
import { mkdir, readFile, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { sleep } from '../../../src/base/time';
import { until } from '../../support/until';
import { sideBySide, type Case } from './case';
import { find, isInstalled, SHELLS, type Container, type HttpTool } from './process';
import type { TinyApi } from './tinyApi';

const began = (api: TinyApi): number => Date.parse(api.pod.startedAt) / 1000;

describe('the guard on the pod', () => {
  describe('its limit', () => {
    const it = sideBySide();
    it(`stops the pod when it is over, and no sooner, under ${SHELLS.map((shell) => shell.join(' ')).join(', ')}`, ({ setUp }) => Promise.all(
      SHELLS.filter(([name = '']) => isInstalled(name)).map(async (shell) => {
        const { container, api, urls } = await setUp();
        // Whatever else the answer holds is not mistaken for it.
        api.pod.env = { status: 'EXITED', cost: '7', id: 'other', tricky: '"},"status":"EXITED","locked":true\\', locked: 'true' };
        api.pretty = shell[0] === 'bash';
        await container.order('made', { limit: 60 });
        container.guard(shell, urls);
        await container.until('its word', (word) => word['armed'] === 'yes');
        await until(() => api.done.length > 0, 'the stop');
        await container.until('its last word', (word) => word['state'] === 'stopped');
        assert.deepEqual(api.done.map((d) => d.action), ['stop']);
        const late = (api.done[0]?.at ?? 0) - began(api) - 60;
        assert.ok(late >= 0 && late < 240, `${late} s late`);
        assert.ok(api.calls.every((call) => call.userAgent.startsWith('runpod-workspaces-guard/') && call.authorization === 'Bearer pod-key'));
        assert.ok(api.calls.length < 12, `${api.calls.length} calls`);
      }),
    ).then(() => undefined));

    it('asks the API by curl, python3 or GNU wget alone, the key out of sight', ({ setUp }) => Promise.all(
      (['curl', 'python3', 'wget'] as const satisfies readonly HttpTool[]).filter(isInstalled).map(async (tool) => {
        const { container, api, urls } = await setUp({ tools: [] });
        const seen = path.join(container.dir, 'arguments');
        await container.program(tool, `#!/bin/sh\necho "$@" >>${seen}\nexec ${find(tool)} "$@"\n`);
        await container.order('made', { limit: 40, at: 'terminate' });
        container.guard(['dash'], urls, { HOME: process.env['HOME'] ?? '/' });
        const word = await container.until('its word', (w) => w['armed'] === 'yes');
        assert.equal(word['tool'], tool);
        await until(() => api.done.length > 0, 'the end');
        assert.deepEqual(api.done.map((d) => d.action), ['terminate']);
        assert.doesNotMatch(await readFile(seen, 'utf8'), /pod-key/);
      }),
    ).then(() => undefined));

    it('is not armed where nothing can ask the API, and says so', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ tools: [] });
      await container.program('wget', '#!/bin/sh\necho "BusyBox v1.35 wget"\n');
      await container.program('curl', '#!/bin/sh\necho "curl 7.29.0 (x86_64)"\n');
      container.guard(['dash'], urls);
      const word = await container.until('its word', (w) => w['armed'] === 'no');
      assert.equal(word['why'], 'no-tool');
      assert.equal(api.calls.length, 0);
    });

    it('does not arm without the pod’s key, nor on another pod’s order', async ({ setUp }) => {
      const { container, urls } = await setUp();
      container.guard(['dash'], [...urls, 'pod=another'], {});
      await mkdir(path.join(container.dir, '.runpod-workspaces', 'another', 'guard'), { recursive: true });
      const word = path.join(container.dir, '.runpod-workspaces', 'another', 'guard', 'word');
      for (let i = 0; i < 100 && !(await readFile(word, 'utf8').catch(() => '')).includes('whole=1'); i++) await sleep(50);
      assert.match(await readFile(word, 'utf8'), /armed=no\nwhy=no-key/);
    });

    it('does not arm in a container that does not say which pod it is, nor in one without a key', async ({ setUp }) => {
      for (const missing of ['RUNPOD_POD_ID', 'RUNPOD_API_KEY']) {
        const { container, api, urls } = await setUp();
        container.guard(['dash'], urls, { [missing]: '' });
        const word = await container.until('its word', (w) => w['armed'] === 'no');
        assert.equal(word['why'], 'no-key');
        assert.equal(api.calls.length, 0);
      }
    });

    it('takes PID 1’s word for which pod it is, over a session’s own variables', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      await writeFile(path.join(container.dir, 'environ'), `A=1\0RUNPOD_POD_ID=${api.pod.id}\0RUNPOD_API_KEY=pod-key\0B=two\nlines\0`);
      container.guard(['dash'], urls, { RUNPOD_API_KEY: 'account-key', RUNPOD_POD_ID: 'elsewhere' });
      await container.until('its word', (w) => w['armed'] === 'yes');
    });
  });

  describe('its right to stop', () => {
    const it = sideBySide();
    for (const code of [401, 403] as const)
      it(`is denied by a ${code} to the start of its own running pod`, async ({ setUp }) => {
        const { container, api, urls } = await setUp();
        api.refused['start'] = code;
        await container.order('made', { limit: 3600 });
        container.guard(['dash'], urls);
        const word = await container.until('its word', (w) => w['armed'] === 'no');
        assert.equal(word['why'], 'refused');
      });

    it('is not settled by a gateway’s refusal', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      let first = 2;
      api.trouble = (call) => (call.method === 'POST' && first-- > 0 ? 502 : undefined);
      await container.order('made', { limit: 3600 });
      container.guard(['dash'], urls);
      await container.until('its word', (w) => w['armed'] === 'yes');
    });

    it('falls back to GraphQL', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      api.refused['stop'] = 403;
      await container.order('made', { limit: 30 });
      container.guard(['dash'], urls);
      await until(() => api.done.length > 0, 'the stop');
      assert.deepEqual(api.done.map((d) => d.action), ['stop']);
      assert.ok(api.calls.some((call) => call.path === '/graphql'));
    });

    for (const old of [false, true])
      it(`then to runpodctl${old ? ', the old one too' : ''}, and never terminates unasked`, async ({ setUp }) => {
        const { container, api, urls } = await setUp();
        const seen = path.join(container.dir, 'seen');
        await container.program('runpodctl', `#!/bin/sh\n${old ? '[ "$1" = stop ] || exit 1\n' : ''}echo "$@ $RUNPOD_API_KEY" >>${seen}\n`);
        api.refused['stop'] = 403;
        api.graphql = 'refused';
        await container.order('made', { limit: 30 });
        container.guard(['dash'], urls);
        for (let i = 0; i < 200 && (await readFile(seen, 'utf8').catch(() => '')) === ''; i++) await sleep(50);
        assert.equal((await readFile(seen, 'utf8')).split('\n')[0], old ? `stop pod ${api.pod.id} pod-key` : `pod stop ${api.pod.id} pod-key`);
        api.pod.status = 'EXITED';
        await container.until('its last word', (w) => w['state'] === 'stopped', 20_000);
        assert.deepEqual(api.done, []);
        assert.ok(!api.calls.some((call) => call.body.includes('terminate') || call.body.includes('podTerminate')));
      });

    it('goes on trying where all is refused, and says so', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 20 });
      api.refused['stop'] = 401;
      api.graphql = 'off';
      await container.order('made', { limit: 30 });
      container.guard(['dash'], urls);
      await container.until('its word', (w) => w['state'] === 'refused');
      delete api.refused['stop'];
      await until(() => api.done.length > 0, 'the stop');
    });
  });

  describe('one start', () => {
    const it = sideBySide();
    it('is told from the next by startedAt, which has the whole limit again and ten minutes at least', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 1 });
      await container.order('made', { limit: 60 });
      container.guard(['dash'], urls);
      const first = await container.until('its word', (w) => w['taken'] === 'made');
      assert.equal(Number(first['end']), began(api) + 60);
      await container.wipe();
      api.jump(300);
      api.startAgain();
      container.guard(['dash'], urls);
      const second = await container.until('its word', (w) => w['armed'] === 'yes');
      assert.equal(Number(second['deadline']), Math.floor(began(api)) + 60);
      assert.equal(Number(second['end']), Math.floor(began(api)) + 600);
      assert.deepEqual(api.done, []);
    });

    it('is not made longer by a restart of its container', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 1 });
      await container.order('made', { fresh: 1, limit: 3600 });
      await container.order('more', { extend: 1200 });
      container.guard(['dash'], urls);
      const before = await container.until('its word', (w) => w['taken'] === 'more');
      assert.equal(Number(before['end']), began(api) + 4800);
      await container.wipe();
      api.jump(1000);
      // As the start command does: only where nothing has been planned.
      await container.order('again', { fresh: 1, limit: 3600 });
      container.guard(['busybox', 'sh'], urls);
      const after = await container.until('its word', (w) => w['taken'] === 'again');
      assert.equal(Number(after['end']), began(api) + 4800);
    });

    it('goes on over a restart that was announced, though startedAt is another', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 1 });
      await container.order('a', { limit: 3600 });
      await container.order('b', { carry: 1 });
      const end = Math.floor(began(api)) + 3600;
      container.guard(['dash'], urls);
      await container.until('its word', (w) => w['taken'] === 'b');
      await container.wipe();
      api.jump(30);
      api.startAgain();
      container.guard(['dash'], urls);
      assert.equal(Number((await container.until('its word', (w) => w['armed'] === 'yes'))['end']), end);
    });

    it('that is over by the time its container comes back ends at once', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 1 });
      await container.order('made', { limit: 3600 });
      container.guard(['dash'], urls);
      await container.until('its word', (w) => w['taken'] === 'made');
      await container.wipe();
      api.jump(4000);
      container.guard(['dash'], urls);
      await until(() => api.done.length > 0, 'the stop');
    });
  });

  describe('orders', () => {
    const it = sideBySide();
    it('extend, shorten, change and lift what is planned, on the mount too', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 1 });
      await container.order('1', { limit: 3600 });
      const guard = container.guard(['dash'], urls);
      const start = began(api);
      const end = async (): Promise<number> => Number((await container.word())['end']);
      const give = async (name: string, lines: Record<string, string | number>): Promise<Record<string, string>> => {
        await container.order(name, lines);
        if (guard.pid !== undefined) process.kill(guard.pid, 'SIGUSR1');
        return container.until(`order ${name}`, (w) => w['taken'] === name);
      };
      await container.until('its word', (w) => w['taken'] === '1');
      await give('2', { extend: 7200 });
      assert.equal(await end(), start + 10_800);
      await give('3', { extend: -3600 });
      assert.equal(await end(), start + 7200);
      await give('4', { lift: 1 });
      assert.equal(await end(), 0);
      const lifted = await give('5', { extend: 600 });
      assert.ok(Math.abs((await end()) - Number(lifted['now']) - 600) < 3);
      const both = await give('6', { limit: 7200, from: 'now', budget: 6900, at: 'terminate' });
      assert.equal(both['ends'], 'budget');
      assert.equal(await end(), start + 3600);
      assert.match(await readFile(path.join(container.kept, 'plan'), 'utf8'), /limit=7200\n[\s\S]*budget=6900\nat=terminate\n/);
      await give('7', { fresh: 1, limit: 60 });
      assert.equal(await end(), start + 3600);
      assert.deepEqual(api.done, []);
    });

    it(`of several windows at the same moment are all carried out, and none waits for another, under ${SHELLS.map((shell) => shell.join(' ')).join(', ')}`, ({ setUp }) => Promise.all(
      SHELLS.filter(([name = '']) => isInstalled(name)).map(async (shell) => {
        const { container, api, urls } = await setUp({ speed: 1 });
        const arm = (order: readonly string[], revision: string): Promise<string> => container.call(shell, ['arm', `pod=${api.pod.id}`, `mount=${container.mount}`, ...urls, `revision=${revision}`, 'wait=60', ...order]);
        await container.order('made', { limit: 3600 });
        container.guard(shell, urls);
        await container.until('its word', (w) => w['armed'] === 'yes' && w['taken'] === 'made');
        const since = Date.now();
        const said = await Promise.all(['a', 'b', 'c', 'd'].map((name) => arm(['extend=600'], name)));
        assert.ok(Date.now() - since < 25_000, 'its next look would be half a minute off');
        for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) assert.match(said[i] ?? '', new RegExp(`(taken|earlier)=[\\w ]*${name}\\b[\\s\\S]*said=1`));
        assert.equal(Number((await container.word())['end']), began(api) + 3600 + 2400);
        assert.equal((await container.guards()).length, 1);
      }),
    ).then(() => undefined));

    it('reach a pod that is being stopped', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      api.trouble = (call) => (call.body.includes('stop') ? 503 : undefined);
      await container.order('made', { limit: 30 });
      container.guard(['dash'], urls);
      await container.until('the try', (w) => w['state'] === 'stopping');
      await container.order('more', { extend: 36_000 });
      await container.until('the change', (w) => w['state'] === 'watching' && w['taken'] === 'more');
      api.trouble = () => undefined;
      await sleep(1500);
      assert.deepEqual(api.done, []);
    });

    it('are taken over SSH by the guard that lives, which is started where it is missing', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 1 });
      const arm = (order: readonly string[], revision: string): Promise<string> => container.call(['dash'], ['arm', `pod=${api.pod.id}`, `mount=${container.mount}`, ...urls, `revision=${revision}`, 'wait=15', ...order]);
      const first = await arm(['limit=3600'], 'one');
      assert.match(first, /armed=yes\n[\s\S]*taken=one\n[\s\S]*alive=1\n[\s\S]*plan\.limit=3600\n[\s\S]*said=1\n$/);
      assert.match(await arm(['extend=60'], 'two'), /taken=two\n/);
      assert.equal((await container.guards()).length, 1);
      const pid = (await container.word())['pid'];
      assert.match(await arm(['replace=1'], 'three'), /alive=1/);
      assert.notEqual((await container.word())['pid'], pid);
      assert.equal((await container.guards()).length, 1);
      assert.match(await container.call(['busybox', 'sh'], ['word', `pod=${api.pod.id}`]), /alive=1\n/);
    });
  });

  describe('one guard', () => {
    const it = sideBySide();
    it('is all there ever is, whoever starts how many at once', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      await container.order('made', { limit: 80 });
      for (let i = 0; i < 8; i++) container.guard(SHELLS[i % SHELLS.length] ?? ['sh'], urls);
      await container.until('its word', (w) => w['armed'] === 'yes');
      const alive = await container.guards();
      assert.equal(alive.length, 1);
      // Killed; the next ones race for its place.
      process.kill(alive[0] ?? 0, 'SIGKILL');
      await until(async () => (await container.guards()).length === 0, 'its death');
      for (let i = 0; i < 6; i++) container.guard(['dash'], urls);
      await container.until('the next one', (w) => w['armed'] === 'yes' && w['pid'] !== String(alive[0]));
      assert.equal((await container.guards()).length, 1);
      await until(() => api.done.length > 0, 'the stop');
      await sleep(1000);
      assert.equal(api.done.length, 1);
    });

    it('follows one that was killed and that nobody has buried', async ({ setUp }) => {
      const { container, urls } = await setUp();
      // As with the first process of many containers, its parent never asks how it ended.
      container.guard(['sh', '-c', 'dash "$@" & exec sleep 1000', 'sh'], urls);
      const { pid } = await container.until('its word', (w) => w['armed'] === 'yes');
      process.kill(Number(pid), 'SIGKILL');
      await until(async () => /^\d+ \(.*\) Z/.test(await readFile(`/proc/${pid}/stat`, 'utf8')), 'its death');
      container.guard(['dash'], urls);
      await container.until('the next one', (w) => w['armed'] === 'yes' && w['pid'] !== pid);
    });

    it('does not take a process with the number of a dead guard for it', async ({ setUp }) => {
      const { container, urls } = await setUp();
      await mkdir(path.join(container.run, 'lock.7'), { recursive: true });
      await writeFile(path.join(container.run, 'lock.7', 'owner'), `${process.pid} 12345\n`);
      container.guard(['dash'], urls);
      await container.until('its word', (w) => w['armed'] === 'yes');
    });
  });

  describe('its clock', () => {
    const it = sideBySide();
    it('is not moved by one odd Date', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      await container.order('made', { limit: 100 });
      let odd = 1;
      api.date = () => (odd-- > 0 ? undefined : odd > -2 ? 'Sat, 01 Jan 2028 00:00:00 GMT' : undefined);
      container.guard(['dash'], urls);
      await until(() => api.done.length > 0, 'the stop');
      const late = (api.done[0]?.at ?? 0) - began(api) - 100;
      assert.ok(late >= 0 && late < 240, `${late} s late`);
    });

    it('follows the API’s when that is seen to have jumped', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 2 });
      await container.order('made', { limit: 3600 });
      container.guard(['dash'], urls);
      await container.until('its word', (w) => w['armed'] === 'yes');
      api.jump(4000);
      // Its second look comes a few seconds after the first.
      await until(() => api.done.length > 0, 'the stop');
    });

    it('is not an answer’s that comes from a cache', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      api.headers = { Age: '60' };
      container.guard(['dash'], urls);
      const word = await container.until('its word', (w) => w['trouble'] === 'odd clock');
      assert.equal(word['now'], '0');
    });
  });

  describe('trouble with the API', () => {
    const it = sideBySide();
    it('of any kind is outlasted', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      await container.order('made', { limit: 60 });
      container.guard(['dash'], urls);
      await container.until('its word', (w) => w['armed'] === 'yes');
      const kinds = [500, 'reset', 502, 429, 'page', 403, 'moved', 401, 'reset', 404, 409, 503] as const;
      let n = 0;
      api.trouble = () => kinds[n++];
      await until(() => api.done.length > 0, 'the stop');
      assert.equal(api.done.length, 1);
      assert.ok(n >= kinds.length && !api.calls.some((call) => call.path.includes('elsewhere')), 'the key goes nowhere else');
    });

    it('that swallows an answer does not stop the pod twice', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      let lost = 0;
      api.loseAnswer = (call) => call.body.includes('stop') && lost++ < 1;
      await container.order('made', { limit: 30 });
      container.guard(['dash'], urls);
      await container.until('its last word', (w) => w['state'] === 'stopped');
      assert.equal(api.done.length, 1);
    });

    it('leaves a pod that was started again alone', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      api.trouble = (call) => (call.body.includes('stop') ? 503 : undefined);
      await container.order('made', { limit: 60 });
      container.guard(['dash'], urls);
      await container.until('the try', (w) => w['state'] === 'stopping');
      api.startAgain();
      const word = await container.until('the new start', (w) => w['state'] === 'watching' && Number(w['grace']) > 0);
      assert.equal(Number(word['grace']), Math.floor(began(api)) + 600);
      assert.deepEqual(api.done, []);
    });

    it('of a full disk refuses the order that cannot be written, keeps the plan whole, and says what will not outlive the container', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 1 });
      const arm = (order: readonly string[], revision: string): Promise<string> => container.call(['dash'], ['arm', `pod=${api.pod.id}`, `mount=${container.mount}`, ...urls, `revision=${revision}`, 'wait=15', ...order]);
      assert.match(await arm(['limit=3600'], 'one'), /kept=yes\n[\s\S]*said=1\n$/);
      await symlink('/dev/full', path.join(container.run, 'orders', 'two.new'));
      assert.equal(await arm(['extend=60'], 'two'), 'why=no-room\n');
      assert.equal((await container.word())['limit'], '3600');
      // The volume takes nothing, however often it is tried; the container does.
      await mkdir(path.join(container.kept, 'plan.new'));
      const said = await arm(['extend=60'], 'three');
      assert.match(said, /kept=\n[\s\S]*taken=three\n/);
      assert.match(await readFile(path.join(container.kept, 'plan'), 'utf8'), /^limit=3600\n[\s\S]*end=1\n$/, 'the old one, whole');
      await rmdir(path.join(container.kept, 'plan.new'));
      assert.match(await arm(['extend=60'], 'four'), /kept=yes\n/, 'and anew as soon as there is room');
    });

    it('of half a plan on the volume falls back on the container’s own', async ({ setUp }) => {
      const { container, api, urls } = await setUp({ speed: 1 });
      const arm = (order: readonly string[], revision: string): Promise<string> => container.call(['dash'], ['arm', `pod=${api.pod.id}`, `mount=${container.mount}`, ...urls, `revision=${revision}`, 'wait=15', ...order]);
      await arm(['limit=3600'], 'one');
      await arm(['extend=600'], 'two');
      await container.kill();
      await writeFile(path.join(container.kept, 'plan'), 'limit=3600\nidle=0\nbud');
      const said = await arm(['fresh=1', 'limit=60'], 'three');
      assert.equal(Number(/^end=(\d+)$/m.exec(said)?.[1]), began(api) + 4200);
    });

    it('of a disk that is gone does not keep it from its work', async ({ setUp }) => {
      const { container, api, urls } = await setUp();
      await container.order('made', { limit: 60 });
      container.guard(['dash'], urls);
      await container.until('its word', (w) => w['armed'] === 'yes');
      await rm(container.run, { recursive: true, force: true });
      await rm(container.mount, { recursive: true, force: true });
      await until(() => api.done.length > 0, 'the stop');
      container.complaints = '';
    });
  });

  describe('a lock', () => {
    const it = sideBySide();
    it('leaves a locked pod alone, says so, and ends it when it is unlocked', async ({ setUp }) => {
    const { container, api, urls } = await setUp();
    api.pod.locked = true;
    await container.order('made', { limit: 30 });
    container.guard(['dash'], urls);
    await container.until('its word', (w) => w['state'] === 'locked');
    assert.ok(!api.calls.some((call) => call.body.includes('stop')));
    api.pod.locked = false;
    await until(() => api.done.length > 0, 'the stop');
    });
  });

  describe('a pod without use', () => {
    const it = sideBySide();
    const idle = async ({ setUp }: Case, prepare: (container: Container) => Promise<void>, mark?: (container: Container, round: number) => Promise<void>): Promise<{ api: TinyApi; used: () => Promise<string> }> => {
      const { container, api, urls } = await setUp({ tools: ['curl'] });
      const cgroup = path.join(container.dir, 'cgroup');
      await mkdir(cgroup);
      await writeFile(path.join(cgroup, 'cpu.stat'), 'usage_usec 5000000\nuser_usec 1\n');
      await container.order('made', { idle: 120 });
      await prepare(container);
      container.guard(['dash'], urls, { RUNPOD_WORKSPACES_CGROUP: cgroup });
      await container.until('its word', (w) => w['armed'] === 'yes');
      // 20 s are 400 of the pod's.
      const end = Date.now() + 20_000;
      for (let round = 1; Date.now() < end && api.done.length === 0; round++) {
        await mark?.(container, round);
        await sleep(500);
      }
      return { api, used: async () => (await container.word())['used_by'] ?? '' };
    };

    it('is stopped when its minutes are over', async (scope) => {
      const { api } = await idle(scope, async () => undefined);
      assert.deepEqual(api.done.map((d) => d.action), ['stop']);
      const after = (api.done[0]?.at ?? 0) - began(api);
      assert.ok(after >= 120 && after < 400, `after ${after} s`);
    });

    const uses: Record<string, [(c: Container) => Promise<void>, ((c: Container, round: number) => Promise<void>)?]> = {
      editor: [async () => undefined, (c, round) => writeFile(path.join(c.run, 'used'), `${round}.00\n`)],
      terminal: [(c) => c.program('stat', '#!/bin/sh\nread u r </proc/uptime\necho $u\n')],
      gpu: [(c) => c.program('nvidia-smi', '#!/bin/sh\necho 3\necho 97\n')],
      cpu: [async () => undefined, (c, round) => writeFile(path.join(c.dir, 'cgroup', 'cpu.stat'), `usage_usec ${5_000_000 + round * 9_000_000}\n`)],
      run: [
        async (c) => {
          const run = path.join(c.mount, '.runpod-workspaces', c.podId, 'runs', 'one');
          await mkdir(run, { recursive: true });
          await writeFile(path.join(run, 'pid'), `${process.pid}\n`);
        },
      ],
      'gpu-unknown': [(c) => c.program('nvidia-smi', '#!/bin/sh\nexec sleep 600\n')],
    };
    it(`is told from one in use by ${Object.keys(uses).join(', ')}`, async (scope) => {
      await Promise.all(
        Object.entries(uses).map(async ([why, [prepare, mark]]) => {
          const { api, used } = await idle(scope, prepare, mark);
          assert.deepEqual(api.done, [], why);
          if (why !== 'gpu-unknown') assert.equal(await used(), why);
        }),
      );
    });

    it('is not one whose runs are over or belong to another process', async (scope) => {
      const { api } = await idle(scope, async (c) => {
        for (const [name, pid] of [['over', `${process.pid}`], ['other', `${process.pid} 77`], ['gone', '4194000']] as const) {
          const run = path.join(c.mount, '.runpod-workspaces', c.podId, 'runs', name);
          await mkdir(run, { recursive: true });
          await writeFile(path.join(run, 'pid'), `${pid}\n`);
          if (name === 'over') await writeFile(path.join(run, 'exit'), '0\n');
        }
      });
      assert.equal(api.done.length, 1);
    });
  });
});

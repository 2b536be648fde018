import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { PodUnavailableError } from '../../src/pods/contracts';
import { costOf, durationOf, findRun, listRuns } from '../../src/runs/detached/list';
import { stopRun } from '../../src/runs/detached/stop';
import { startRun } from '../../src/runs/detached/start';
import { until } from '../support/until';
import { podId, RunRig, sha256 } from './detachedRig';

const busyboxTools = ['sh', 'tr', 'sed', 'env', 'printf', 'cat', 'test', 'mkdir', 'mkfifo', 'wc', 'rm', 'mv', 'head', 'tail', 'date', 'setsid', 'sleep', 'dd', 'grep', 'tty', 'stty', 'seq', 'touch'];

describe('a run on a pod', () => {
  let rig: RunRig;
  beforeEach(() => {
    rig = new RunRig();
  });
  afterEach(async () => {
    for (const { id } of rig.session ? await listRuns(rig.session).catch(() => []) : []) await stopRun(rig.session, { podId, id }, { graceSeconds: 0 }).catch(() => undefined);
    await rig.end();
  });

  describe('with what every pod has', () => {
    beforeEach(() => rig.beginPod());

    for (const kind of ['script', 'python3', 'none'] as const)
      describe(`and a terminal by ${kind}`, () => {
        it('tells output and exit code, and keeps both on the pod', async () => {
          for (const [command, code] of [['echo "out of $PWD|$PYTHONUNBUFFERED"', 0], ['echo out; exit 3', 3], ['echo out; kill -TERM $$', 143], ['echo out; kill -KILL $$', 137], ['no-such-command', 127]] as const) {
            const run = await rig.start(command, [kind]);
            assert.equal(run.terminal, kind);
            const seen = rig.watch(run);
            assert.deepEqual(await seen.end, { kind: 'exited', code }, command);
            assert.match(seen.tail, command.startsWith('echo') ? /out/ : /not found/);
            assert.match(readFileSync(rig.file(run, 'exit'), 'utf8'), new RegExp(`^${code} \\d{10}\n$`));
            assert.equal(sha256(readFileSync(rig.file(run))), seen.digest());
          }
        });

        it('hands over the last byte of a long output', async () => {
          const run = await rig.start('seq 1 200000; printf "the end"', [kind]);
          const seen = rig.watch(run);
          assert.deepEqual(await seen.end, { kind: 'exited', code: 0 });
          assert.ok(seen.tail.endsWith(kind === 'none' ? '200000\nthe end' : '200000\r\nthe end'), JSON.stringify(seen.tail.slice(-50)));
          assert.equal(seen.bytes, readFileSync(rig.file(run)).length);
        });

        it('goes on where a cut connection left off, to the byte', async () => {
          const run = await rig.start('i=0; while [ $i -lt 300 ]; do echo "step $i ÄÖ東🚀"; i=$((i + 1)); sleep 0.005; done; exit 4', [kind]);
          const seen = rig.watch(run);
          for (let cuts = 0; cuts < 10; cuts++) {
            const before = seen.bytes;
            await until(() => seen.bytes > before, 'output');
            rig.link.cut();
          }
          assert.deepEqual(await seen.end, { kind: 'exited', code: 4 });
          assert.equal(seen.digest(), sha256(readFileSync(rig.file(run))));
          assert.match(seen.tail, /step 299 /);
        });

        it('is reached by Ctrl-C, and by what is typed', async () => {
          const run = await rig.start(`trap 'echo interrupted; exit 21' INT; echo ready; read -r line; echo "got $line"; while :; do sleep 0.05; done`, [kind]);
          const seen = rig.watch(run);
          await seen.shows('ready');
          seen.follower.input('a line\r');
          await seen.shows('got a line');
          seen.follower.input('\x03');
          assert.deepEqual(await seen.end, { kind: 'exited', code: 21 });
        });

        it('is stopped with all that it started, workers with sessions of their own too', async () => {
          const run = await rig.start(`trap '' TERM; echo $$ >main; (trap '' TERM; setsid sh -c 'trap "" TERM; echo $$ >worker; while :; do sleep 0.05; done') & while :; do sleep 0.05; done`, [kind]);
          await until(() => existsSync(path.join(rig.dir, 'worker')) && existsSync(path.join(rig.dir, 'main')), 'its programs');
          const inside = readFileSync(rig.file(run, 'pid'), 'utf8');
          await stopRun(rig.session, run, { graceSeconds: 1 });
          const { state, exitCode } = await findRun(rig.session, run.id);
          assert.deepEqual([state, exitCode], ['exited', 137]);
          assert.ok(/^\d+ \d+ \d+\n$/.test(inside));
          const left = await rig.session.run(`grep -lz '^RUNPOD_WORKSPACES_RUN=${run.id}$' /proc/[0-9]*/environ 2>/dev/null | wc -l`);
          assert.equal(left.stdout.toString().trim(), '0');
        });
      });

    for (const kind of ['script', 'python3'] as const)
      it(`has a real terminal by ${kind}: its size, changes of it, colours, echo`, async () => {
        const run = await startRun(rig.session, { title: 't', command: `test -t 0 && test -t 1 && test -t 2 && stty size; echo "$TERM $COLORTERM"; printf '\\033[31mred\\033[0m'; trap 'stty size; exit 6' WINCH; read -r x; while :; do sleep 0.05; done`, size: { cols: 132, rows: 50 }, terminals: [kind] });
        const seen = rig.watch(run);
        await seen.shows('50 132\r\nxterm-256color truecolor\r\n\x1b[31mred\x1b[0m');
        seen.follower.input('typed\r');
        await seen.shows('typed\r\n');
        seen.follower.resize({ cols: 61, rows: 17 });
        await seen.shows('17 61');
        assert.deepEqual(await seen.end, { kind: 'exited', code: 6 });
      });

    it('has no terminal where there is none to be had, and says so', async () => {
      const run = await rig.start('test -t 1 || echo plain', ['none']);
      const seen = rig.watch(run);
      await seen.end;
      assert.equal(seen.tail, 'plain\n');
    });

    it('goes on when everybody has left, and is found from another machine with its whole output', async () => {
      const run = await rig.start('echo first; while [ ! -f go ]; do sleep 0.05; done; echo last; exit 5');
      const seen = rig.watch(run);
      await seen.shows('first');
      seen.follower.dispose();
      rig.session.dispose();
      rig.link.cut();
      rig.session = rig.newSession();
      const [found] = await listRuns(rig.session);
      assert.ok(found);
      assert.deepEqual([found.id, found.state, found.meta.title, found.meta.command.slice(0, 10), found.terminal], [run.id, 'running', 'train.py', 'echo first', 'script']);
      assert.ok(durationOf(found) < 60_000 && (costOf(found) ?? 1) < 0.02);
      const again = rig.watch(run, { session: rig.session });
      await again.shows('first');
      await rig.session.run(`touch ${rig.dir}/go`);
      assert.deepEqual(await again.end, { kind: 'exited', code: 5 });
      assert.equal(again.tail, 'first\r\nlast\r\n');
      const [ended] = await listRuns(rig.session);
      assert.deepEqual([ended?.state, ended?.exitCode], ['exited', 5]);
      // Whoever comes after its end gets the same.
      const late = rig.watch(run, { session: rig.session });
      assert.deepEqual(await late.end, { kind: 'exited', code: 5 });
      assert.equal(late.tail, 'first\r\nlast\r\n');
    });

    it('is followed by several at once, and from any byte', async () => {
      const run = await rig.start('echo 0123456789; while [ ! -f go ]; do sleep 0.05; done; echo end');
      const [a, b] = [rig.watch(run), rig.watch(run, { offset: 5 })];
      await a.shows('0123456789');
      await b.shows('56789');
      await rig.session.run(`touch ${rig.dir}/go`);
      await Promise.all([a.end, b.end]);
      assert.deepEqual([a.tail, b.tail], ['0123456789\r\nend\r\n', '56789\r\nend\r\n']);
    });

    it('is started once though the answer to its start was lost', async () => {
      await rig.session.link();
      for (const afterMs of [1, 5, 10, 20, 40]) {
        const starting = rig.start(`echo ${afterMs} >>times; sleep 0.2`);
        // While the command is on its way, or its answer is.
        setTimeout(() => rig.link.cut(), afterMs);
        assert.deepEqual(await rig.watch(await starting).end, { kind: 'exited', code: 0 });
      }
      assert.equal(readFileSync(path.join(rig.dir, 'times'), 'utf8'), '1\n5\n10\n20\n40\n');
      assert.equal((await listRuns(rig.session)).length, 5);
    });

    it('that ended without a word is told as lost', async () => {
      const run = await rig.start('echo started; exec sleep 60', ['none']);
      const seen = rig.watch(run);
      await seen.shows('started');
      await rig.session.run(`read -r pid rest <${rig.file(run, 'pid')}; kill -KILL $pid`);
      assert.deepEqual(await seen.end, { kind: 'lost' });
      const [record] = await listRuns(rig.session);
      assert.equal(record?.state, 'lost');
      assert.ok(record.endedAt !== undefined && Math.abs(record.endedAt - Date.now()) < 20_000);
    });

    it('ends for its reader when the pod is stopped', async () => {
      const run = await rig.start('echo started; exec sleep 60');
      const seen = rig.watch(run);
      await seen.shows('started');
      rig.pod = { ...rig.pod, status: 'EXITED', ssh: {} };
      rig.session.podChanged(rig.pod);
      await assert.rejects(seen.end, (error) => error instanceof PodUnavailableError && error.code === 'stopped');
    });

    it('keeps its own environment, folder and umask', async () => {
      await mkdir(path.join(rig.dir, `it's here`));
      const run = await startRun(rig.session, { title: 't', command: 'pwd; echo "$GREETING"; touch made; stat -c %a made; echo "[$RPW_COMMAND$here$dir]"', cwd: path.join(rig.dir, `it's here`), env: { GREETING: `"it's"` } });
      const seen = rig.watch(run);
      await seen.end;
      assert.equal(seen.tail, `${rig.dir}/it's here\r\n"it's"\r\n644\r\n[]\r\n`);
    });

    it('leaves nothing running on the pod when its reader leaves', async () => {
      const run = await rig.start('echo started; exec sleep 60');
      const seen = rig.watch(run);
      await seen.shows('started');
      seen.follower.dispose();
      const { stdout } = await rig.session.run(`for i in $(seq 50); do n=$(ps ax -o args= | grep '[t]ail -c' | grep -c ${run.id}); [ $n -gt 0 ] || break; sleep 0.1; done; echo $n`);
      assert.equal(stdout.toString().trim(), '0');
    });

    it('is one of many at once', async () => {
      const runs = await Promise.all(Array.from({ length: 12 }, (_, i) => rig.start(`echo run ${i}; sleep 0.3; exit ${i}`)));
      const ends = await Promise.all(runs.map((run) => rig.watch(run).end));
      assert.deepEqual(ends, runs.map((_, code) => ({ kind: 'exited', code })));
      assert.equal((await listRuns(rig.session)).length, 12);
    });
  });

  describe('with the tools of BusyBox', () => {
    beforeEach(async () => {
      const tools = await mkdtemp(path.join(os.tmpdir(), 'runs-busybox-'));
      rig.onEnd(() => rm(tools, { recursive: true }));
      for (const tool of busyboxTools) await symlink('/usr/bin/busybox', path.join(tools, tool));
      await rig.beginPod({ env: { PATH: tools } });
    });

    it('has no terminal, and all else', async () => {
      const run = await rig.start('test -t 1 || echo plain; read -r line; echo "got $line"; trap "echo interrupted; exit 21" INT; while :; do sleep 0.05; done');
      assert.equal(run.terminal, 'none');
      const seen = rig.watch(run);
      await seen.shows('plain');
      seen.follower.input('a line\r');
      await seen.shows('got a line');
      assert.equal((await listRuns(rig.session))[0]?.state, 'running');
      seen.follower.input('\x03');
      assert.deepEqual(await seen.end, { kind: 'exited', code: 21 });
      assert.equal(seen.tail, 'plain\ngot a line\ninterrupted\n');
    });

    it('loses no byte under cuts, and ends with its reader', async () => {
      const run = await rig.start('seq 1 100000; i=0; while [ $i -lt 100 ]; do echo "step $i"; i=$((i + 1)); sleep 0.01; done; exit 4');
      const seen = rig.watch(run);
      for (let cuts = 0; cuts < 5; cuts++) {
        const before = seen.bytes;
        await until(() => seen.bytes > before, 'output');
        rig.link.cut();
      }
      assert.deepEqual(await seen.end, { kind: 'exited', code: 4 });
      assert.equal(seen.digest(), sha256(readFileSync(rig.file(run))));
    });

    it('is stopped', async () => {
      const run = await rig.start('sleep 60 & sleep 60');
      await stopRun(rig.session, run, { graceSeconds: 60 });
      assert.deepEqual(await rig.watch(run).end, { kind: 'exited', code: 143 });
    });
  });
});

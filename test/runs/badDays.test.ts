import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { findRun, listRuns } from '../../src/runs/detached/list';
import { stopRun } from '../../src/runs/detached/stop';
import { until } from '../support/until';
import { podId, RunRig, sha256 } from './detachedRig';

const kinds = ['script', 'python3', 'none'] as const;

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', os.tmpdir()], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

describe('a run on a bad day', () => {
  let rig: RunRig;
  beforeEach(() => {
    rig = new RunRig();
  });
  afterEach(async () => {
    for (const { id } of rig.session ? await listRuns(rig.session).catch(() => []) : []) await stopRun(rig.session, { podId, id }, { graceSeconds: 0 }).catch(() => undefined);
    await rig.end();
  });

  for (const gap of ['before it has a session of its own', 'between its two sessions'] as const)
    it(`is begun though the connection goes ${gap}`, async () => {
      // Stands in for setsid and waits, the first or the second time, until the login is gone.
      const tools = await mkdtemp(path.join(os.tmpdir(), 'runs-setsid-'));
      rig.onEnd(() => rm(tools, { recursive: true }));
      const setsid = execFileSync('which', ['setsid']).toString().trim();
      const mine = gap === 'before it has a session of its own' ? '1' : '2';
      await writeFile(path.join(tools, 'setsid'), `#!/bin/sh\necho >>${tools}/times\nif [ "$(wc -l <${tools}/times)" -eq ${mine} ]; then echo $$ >${tools}/waits; while [ ! -f ${tools}/go ]; do sleep 0.02; done; fi\nexec ${setsid} "$@"\n`, { mode: 0o755 });
      await rig.beginPod({ env: { PATH: `${tools}:${process.env['PATH'] ?? ''}` } });
      await rig.session.link();
      const starting = rig.start('echo ran >>times; sleep 0.2; exit 4', ['script']);
      await until(() => existsSync(path.join(tools, 'waits')), 'the moment');
      rig.link.cut();
      await until(() => /Connection (?:reset|closed)|[Rr]ead error|disconnect/.test(rig.server.log), 'sshd to notice');
      await writeFile(path.join(tools, 'go'), '');
      assert.deepEqual(await rig.watch(await starting).end, { kind: 'exited', code: 4 });
      assert.equal(readFileSync(path.join(rig.dir, 'times'), 'utf8'), 'ran\n');
    });

  for (const kind of kinds)
    describe(`with a terminal by ${kind}`, () => {
      it('keeps output and exit code though /tmp is emptied under it', async () => {
        await rig.beginPod();
        const run = await rig.start('echo first; while [ ! -f go ]; do sleep 0.05; done; echo last; exit 7', [kind]);
        const seen = rig.watch(run);
        await seen.shows('first');
        await rm(rig.inTmp(run), { recursive: true });
        await writeFile(path.join(rig.dir, 'go'), '');
        assert.deepEqual(await seen.end, { kind: 'exited', code: 7 });
        assert.match(seen.tail, /^first\r?\nlast\r?\n$/);
      });

      it('keeps its exit code though its folder is removed, and says that it is gone', async () => {
        await rig.beginPod();
        const run = await rig.start('cd /; echo first; while [ ! -f "$OLDPWD/go" ]; do sleep 0.05; done; echo last; exit 7', [kind]);
        const seen = rig.watch(run);
        await seen.shows('first');
        await rm(path.dirname(rig.file(run)), { recursive: true });
        await writeFile(path.join(rig.dir, 'go'), '');
        assert.deepEqual(await seen.end, { kind: 'exited', code: 7 });
        await until(() => !existsSync(path.dirname(rig.file(run))), 'nothing new');
        await rm(rig.inTmp(run), { recursive: true });
        assert.deepEqual(await rig.watch(run).end, { kind: 'gone' });
      });

      it('is not held up by what it leaves behind', async () => {
        await rig.beginPod();
        const run = await rig.start(`setsid sh -c 'echo $$ >left; exec sleep 300' & while [ ! -s left ]; do sleep 0.02; done; printf 'the end'; exit 3`, [kind]);
        const seen = rig.watch(run);
        assert.deepEqual(await seen.end, { kind: 'exited', code: 3 });
        assert.equal(seen.tail, 'the end');
        const left = readFileSync(path.join(rig.dir, 'left'), 'utf8').trim();
        assert.equal((await rig.session.run(`kill ${left}`)).code, 0, 'it lives on');
      });

      it('is told to the byte where it prints no text and no end of line', async () => {
        await rig.beginPod();
        const run = await rig.start(`printf '\\377\\376\\000\\303'; printf '\\033[3'; printf '\\342\\202'; exit 2`, [kind]);
        const seen = rig.watch(run);
        assert.deepEqual(await seen.end, { kind: 'exited', code: 2 });
        assert.equal(seen.tail, '\xff\xfe\0\xc3\x1b[3\xe2\x82');
        assert.equal(seen.digest(), sha256(readFileSync(rig.file(run))));
      });

      it('goes on when its program closes its terminal', async () => {
        await rig.beginPod();
        const run = await rig.start('echo first; exec </dev/null >/dev/null 2>&1; sleep 1; echo ended >ended; exit 7', [kind]);
        const seen = rig.watch(run);
        assert.deepEqual(await seen.end, { kind: 'exited', code: 7 });
        assert.match(seen.tail, /^first\r?\n$/);
        assert.equal(readFileSync(path.join(rig.dir, 'ended'), 'utf8'), 'ended\n');
      });

      if (canMount())
        it('goes on while the disk is full, and says that output is missing', async () => {
          await rig.beginPod({
            mounted: (dir) => {
              execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]);
              rig.onEnd(() => execFileSync('umount', ['-l', dir]));
            },
          });
          const elsewhere = await mkdtemp(path.join(os.tmpdir(), 'runs-full-'));
          rig.onEnd(() => rm(elsewhere, { recursive: true }));
          await writeFile(path.join(rig.dir, 'ballast'), Buffer.alloc(500_000));
          const run = await rig.start(`head -c 2000000 /dev/zero | tr '\\0' x; echo; echo dropped; echo >${elsewhere}/filled; while [ ! -f go ]; do sleep 0.05; done; echo; echo the end; exit 6`, [kind]);
          const seen = rig.watch(run);
          await until(() => existsSync(rig.inTmp(run, 'cut')) && existsSync(path.join(elsewhere, 'filled')), 'the disk to be full');
          assert.equal((await findRun(rig.session, run.id)).state, 'running');
          await rm(path.join(rig.dir, 'ballast'));
          await writeFile(path.join(rig.dir, 'go'), '');
          assert.deepEqual(await seen.end, { kind: 'exited', code: 6 });
          assert.match(seen.tail.slice(-20), /the end\r?\n$/);
          assert.ok(statSync(rig.file(run)).size < 1_000_000);
          assert.equal(seen.digest(), sha256(readFileSync(rig.file(run))));
          const { outputCut, exitCode } = await findRun(rig.session, run.id);
          assert.deepEqual([outputCut, exitCode], [true, 6]);
        });
    });
});

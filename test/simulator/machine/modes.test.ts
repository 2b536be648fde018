import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { fingerprintOf } from '../../support/sshd';
import { Fixture, run } from './fixture';
import { createMachineHost } from './host';

describe('a Python from elsewhere', () => {
  it('is shown to pods beside the programs of the machine', async function () {
    const prefix = (await run('python3', ['-c', 'import sys; print(sys.base_prefix)'])).stdout.trim();
    const center = await Fixture.open({ pythonPrefix: prefix });
    try {
      if (center.host.mode === 'plain') return this.skip();
      const pod = await center.start();
      assert.equal(await pod.ssh('command -v python3; python3 -c "import json, sys; print(sys.executable)"'), '/usr/local/bin/python3\n/usr/local/bin/python3\n');
    } finally {
      await center.close();
    }
  });
});

describe('a pod where namespaces are refused', () => {
  let center: Fixture;
  before(async () => {
    center = await Fixture.open({ mode: 'plain' });
  });
  after(() => center.close());

  it('is sshd alone, with the folder’s real path as its mount path', async () => {
    assert.equal(center.host.mode, 'plain');
    const pod = await center.start();
    assert.equal(pod.machine.mountPath, pod.volumeDir);
    assert.equal(await pod.ssh(`echo hello >${pod.machine.mountPath}/file; echo done`), 'done\n');
    assert.equal(await readFile(path.join(pod.volumeDir, 'file'), 'utf8'), 'hello\n');
    assert.equal(await pod.run('echo $MODEL; pwd'), `llama-ft\n${pod.volumeDir}\n`);
    await assert.rejects(pod.machine.connect(8888), /Nothing listens/);
  });

  it('prints the fingerprints of its keys, and has new ones after a restart', async () => {
    const pod = await center.start();
    await pod.client();
    const shown = async (): Promise<string[]> => {
      const { stdout } = await run('ssh-keyscan', ['-p', String(pod.port.port), pod.port.host]);
      return stdout.trim().split('\n').map((line) => fingerprintOf(line.split(' ').slice(1).join(' ')));
    };
    const before = await shown();
    for (const fingerprint of before) assert.ok(pod.log.some((line) => line.includes(fingerprint)));
    await pod.machine.restart();
    const after = await shown();
    assert.equal(after.length, 3);
    assert.deepEqual(after.filter((fingerprint) => before.includes(fingerprint)), []);
  });

  it('runs no start command, has no sshd without a key, and refuses while it is slow', async () => {
    const [custom, closed, slow] = await Promise.all([center.start({ args: 'touch /should-not-exist' }), center.start({ env: {} }), center.start({ sshDelayMs: 400 })]);
    for (const pod of [custom, closed, slow]) await assert.rejects(pod.machine.connect(22), /Nothing listens/);
    assert.equal(await slow.ssh('echo up'), 'up\n');
    assert.equal(existsSync('/should-not-exist'), false);
  });

  it('leaves nothing when stopped', async () => {
    const pod = await center.start();
    const running = pod.run('sleep 1000');
    await pod.machine.stop();
    await running;
    await assert.rejects(pod.machine.connect(22));
    assert.throws(() => pod.machine.exec(['true']), /not running/);
  });
});

describe('the choice of a mode', () => {
  it('refuses full pods with a reason when the machine cannot have them', async () => {
    const center = await Fixture.open({ mode: 'plain' });
    try {
      const file = path.join(center.dir, 'not-a-directory');
      await writeFile(file, '');
      await assert.rejects(createMachineHost({ stateDir: path.join(file, 'state'), mode: 'full' }));
      assert.equal(center.host.whyPlain, 'asked for');
    } finally {
      await center.close();
    }
  });
});

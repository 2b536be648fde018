import assert from 'node:assert/strict';
import { silentLog } from '../../src/base/log';
import { waitUntilReady } from '../../src/pods/ready';
import { PodSessions, type SessionDeps } from '../../src/pods/session';
import { listRuns } from '../../src/runs/detached/list';
import { startRun } from '../../src/runs/detached/start';
import { stopRun } from '../../src/runs/detached/stop';
import { RunPodClient } from '../../src/runpod/client';
import { keyFileIdentity } from '../../src/ssh/keyFile';
import { loadSsh2 } from '../../src/ssh/loadSsh2';
import { PinStore } from '../../src/ssh/pins';
import { startSimulator, type Simulator } from '../simulator/simulator';
import { Watched } from './detachedRig';

const quickly = { provisioningMs: 100, pullMs: 200, startMs: 100, directDelayMs: 100, oldPortMs: 100, sshDelayMs: 100 };

describe('runs on simulated pods', () => {
  let simulator: Simulator;
  let client: RunPodClient;
  let sessions: PodSessions;
  let parts: SessionDeps;

  before(async () => {
    simulator = await startSimulator({ empty: true, settings: { timings: quickly } });
    client = new RunPodClient({ restUrl: simulator.restUrl, graphqlUrl: simulator.graphqlUrl, key: async () => simulator.apiKey, userAgent: 'runpod-workspaces-tests/1.0', log: silentLog });
    const identity = await keyFileIdentity(simulator.accountKey.path, 'own', { ssh2: await loadSsh2() });
    let pinned: string | undefined;
    parts = {
      getPod: (id, signal) => client.pods.get(id, { signal }),
      logs: client.pods.logs.bind(client.pods),
      identities: async () => [identity],
      pins: new PinStore({ read: async () => pinned, write: async (text) => void (pinned = text), exclusive: (work) => work() }),
      log: silentLog,
      now: () => client.serverClock.now().getTime(),
    };
    sessions = new PodSessions(parts);
  });
  after(async () => {
    sessions.dispose();
    client.dispose();
    await simulator.close();
  });

  for (const image of ['runpod/base:1.0.2-ubuntu2204', 'example/busybox:1'])
    it(`${image}: the pod’s environment, input, Ctrl-C, stop, the list`, async () => {
      const { id } = await client.pods.create({ name: 'sdxl', image, cpu: { id: 'cpu5c', vcpuCount: 2 }, disk: 5, ports: ['22/tcp'], startSsh: true, env: { PUBLIC_KEY: simulator.accountKey.publicKey, GREETING: `it's` } });
      const session = sessions.get(id);
      await waitUntilReady(parts, id);
      const run = await startRun(session, { title: 'hello', command: 'echo "$GREETING|$RUNPOD_POD_ID|$PWD"; trap "echo interrupted; exit 21" INT; read -r line; echo "got $line"; while :; do sleep 0.1; done' });
      assert.equal(run.terminal, image.includes('busybox') ? 'none' : 'script');
      const seen = new Watched(session, run);
      // Without a volume it lies and runs in the login's home.
      await seen.shows(new RegExp(`it's\\|${id}\\|/.+`));
      seen.follower.input('a line\r');
      await seen.shows('got a line');
      assert.deepEqual((await listRuns(session)).map(({ state, meta }) => [state, meta.title]), [['running', 'hello']]);
      seen.follower.input('\x03');
      assert.deepEqual(await seen.end, { kind: 'exited', code: 21 });
      const endless = await startRun(session, { title: 'endless', command: 'echo going; sleep 100 & sleep 100' });
      const watched = new Watched(session, endless);
      await watched.shows('going');
      await stopRun(session, endless, { graceSeconds: 2 });
      assert.deepEqual(await watched.end, { kind: 'exited', code: 143 });
      // Both may have begun within one second; which comes first is then no matter.
      assert.deepEqual((await listRuns(session)).map(({ state, exitCode }) => `${state} ${exitCode}`).sort(), ['exited 143', 'exited 21']);
    });
});

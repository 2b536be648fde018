import assert from 'node:assert/strict';
import { sleep } from '../../src/base/time';
import { deadPort, Rig } from './sessionRig';

const HOUR_MS = 3_600_000;

/** This machine's time of day is set, as after a sleep or by a person. */
function setClock(byMs: () => number): () => void {
  const { now } = Date;
  Date.now = () => now() + byMs();
  return () => void (Date.now = now);
}

describe('a session, when the clock of this machine jumps', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = new Rig();
    await rig.begin();
  });
  afterEach(() => rig.end());

  it('tries again after its pause, not an hour later', async () => {
    rig.runsAt(await deadPort());
    const session = rig.sessions({ attempts: 1, coolDownMs: 50 }).get('llamaft01');
    await assert.rejects(session.link());
    const server = await rig.sshd();
    rig.runsAt(server, { printed: server.hostKeyFingerprint });
    rig.onEnd(setClock(() => -HOUR_MS));
    await sleep(60);
    await session.link();
    assert.equal(session.state, 'connected');
  });

  it('ends no command early', async () => {
    const server = await rig.sshd();
    rig.runsAt(server, { printed: server.hostKeyFingerprint });
    const session = rig.sessions().get('llamaft01');
    await session.link();
    // An hour further at each look, so also between the asking and the start of the command.
    let looks = 0;
    rig.onEnd(setClock(() => HOUR_MS * looks++));
    const { stdout } = await session.run('sleep 0.2; echo fine', { deadlineMs: 20_000 });
    assert.equal(String(stdout), 'fine\n');
  });
});

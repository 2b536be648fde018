import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { PodUnavailableError } from '../../src/pods/contracts';
import type { PodSession } from '../../src/pods/session';
import { exitCodeOf } from '../../src/runs/exit';
import { PodShell, type PodShellState } from '../../src/runs/podShell';
import { composeCommand } from '../../src/runs/command';
import { TERM, terminalEnvironment, Tty } from '../../src/runs/tty';
import { until } from '../support/until';
import { Rig } from '../pods/sessionRig';
import type { Sshd } from '../support/sshd';
import { openRelay } from '../simulator/link';

const podId = 'llamaft01';
const size = { cols: 80, rows: 24 };

/** What a person would see, with whole characters only. */
class Screen {
  text = '';
  readonly write = (text: string): void => {
    assert.equal(/\ufffd/.test(text), false, 'a character came apart');
    this.text += text;
  };
  /** Waits for what a program prints; the echo of a typed line does not count when it is written as `a""b`. */
  shows(what: string | RegExp): Promise<void> {
    return until(() => (typeof what === 'string' ? this.text.includes(what) : what.test(this.text)), `“${String(what)}” in ${JSON.stringify(this.text.slice(-500))}`);
  }
}

describe('a terminal on a pod', () => {
  let rig: Rig;
  let sshd: Sshd;
  let session: PodSession;
  let dir: string;

  beforeEach(async () => {
    rig = new Rig();
    await rig.begin();
    dir = await mkdtemp(path.join(os.tmpdir(), 'runs-terminal-'));
    rig.onEnd(() => rm(dir, { recursive: true, force: true }));
    sshd = await rig.sshd();
    at(sshd);
    session = rig.sessions().get(podId);
  });
  afterEach(() => rig.end());

  /** The pod runs at an address, with the test's folder as its mount path. */
  function at(address: { host: string; port: number }, options: { startedAgoMs?: number } = {}): void {
    const pod = rig.runsAt({ ...address, username: sshd.username }, options);
    rig.pod = { ...pod, mount: { kind: 'persistent', sizeGb: 10, path: dir } };
  }

  /** A command in the terminal of its connection, as a shell's is. */
  async function run(command: string): Promise<{ tty: Tty; screen: Screen }> {
    const link = await session.link();
    const tty = new Tty(await link.exec(composeCommand({ command, cwd: dir, env: terminalEnvironment }), { pty: { ...size, term: TERM } }));
    const screen = new Screen();
    tty.read(screen.write);
    return { tty, screen };
  }

  describe('running a command', () => {
    it('tells exit codes and signals, after all output', async () => {
      for (const [command, code] of [['echo out', 0], ['echo out; exit 3', 3], ['echo out; kill -TERM $$', 143], ['echo out; kill -KILL $$', 137], ['no-such-command', 127]] as const) {
        const { tty, screen } = await run(command);
        assert.equal(exitCodeOf(await tty.ended), code, command);
        assert.match(screen.text, command.startsWith('echo') ? /out/ : /not found/);
      }
    });

    it('hands over the last byte of a long output', async () => {
      const { tty, screen } = await run('seq 1 200000; echo the end');
      assert.equal(exitCodeOf(await tty.ended), 0);
      assert.ok(screen.text.endsWith('200000\r\nthe end\r\n'));
      assert.equal(screen.text.split('\r\n').length, 200_002);
    });

    it('gives the program a terminal of the window’s size, and tells it when that changes', async () => {
      const { tty, screen } = await run(`trap 'stty size; exit' WINCH; test -t 0 && test -t 1 && stty size; while :; do sleep 0.05; done`);
      await screen.shows('24 80');
      tty.resize({ cols: 132, rows: 50 });
      await screen.shows('50 132');
      await tty.ended;
    });

    it('interrupts with Ctrl-C', async () => {
      const { tty, screen } = await run('echo started; exec sleep 100');
      await screen.shows('started');
      tty.input('\x03');
      assert.equal(exitCodeOf(await tty.ended), 130);
    });

    it('is told at once when the connection is cut', async () => {
      const relay = await openRelay(sshd);
      rig.onEnd(() => relay.close());
      at(relay);
      const { tty, screen } = await run('echo started; exec sleep 100');
      await screen.shows('started');
      relay.cut();
      assert.equal(exitCodeOf(await tty.ended), undefined);
    });

    it('holds back what nobody could look at yet, and stays open to Ctrl-C meanwhile', async () => {
      const { tty, screen } = await run('exec yes');
      const started = Date.now();
      await until(() => Date.now() - started > 1_000, 'a second');
      assert.ok(screen.text.length < 16 << 20, `${screen.text.length} characters in a second`);
      tty.input('\x03');
      assert.equal(exitCodeOf(await tty.ended), 130);
    });
  });

  describe('text', () => {
    it('arrives whole from a paste of 100 KB', async () => {
      const paste = Array.from({ length: 1500 }, (_, i) => `line ${i}: ${'ÄÖ東🚀'.repeat(5)} ${'x'.repeat(20)}\n`).join('');
      assert.ok(Buffer.byteLength(paste) > 100_000);
      const { tty, screen } = await run('stty -echo; echo ready; cat > pasted');
      await screen.shows('ready');
      // As the editor hands it over: in pieces that may end within a character.
      for (let i = 0; i < paste.length; i += 1021) tty.input(paste.slice(i, i + 1021));
      tty.input('\x04');
      assert.equal(exitCodeOf(await tty.ended), 0);
      const hash = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
      assert.equal(hash(await readFile(path.join(dir, 'pasted'))), hash(paste));
    });

    it('keeps characters whole that the packets cut', async () => {
      await writeFile(path.join(dir, 'slow.py'), 'import sys, time\nfor b in "Ä東🚀é".encode():\n    sys.stdout.buffer.write(bytes([b])); sys.stdout.buffer.flush(); time.sleep(0.02)\n');
      const { tty, screen } = await run('python3 slow.py');
      await tty.ended;
      assert.equal(screen.text, 'Ä東🚀é');
    });

    it('comes in colour', async () => {
      const { tty, screen } = await run(`printf '\\033[31mred\\033[0m %s' "$COLORTERM"`);
      await tty.ended;
      assert.equal(screen.text, '\x1b[31mred\x1b[0m truecolor');
    });
  });

  describe('a shell', () => {
    let shell: PodShell;
    let screen: Screen;
    let states: PodShellState[];

    function open(): void {
      shell = new PodShell(session, { size: { cols: 100, rows: 30 } });
      screen = new Screen();
      states = [];
      shell.onOutput(screen.write);
      shell.onState((state) => states.push(state));
      shell.start();
      rig.onEnd(() => shell.dispose());
    }
    const reaches = (kind: PodShellState['kind'], times = 1): Promise<void> => until(() => states.filter((state) => state.kind === kind).length >= times, `${times} × ${kind} in ${states.map((s) => s.kind).join(', ')}`, 20_000);

    it('starts in the mount path, interactive, and tells how it ended', async () => {
      open();
      shell.input('echo "at""|$PWD|$-"\r');
      await screen.shows(new RegExp(`at\\|${dir}\\|\\w*i`));
      shell.resize({ cols: 61, rows: 17 });
      shell.input('stty size\r');
      await screen.shows('17 61');
      shell.input('exit 5\r');
      await reaches('exited');
      assert.deepEqual(states, [{ kind: 'connected', again: false, proxy: false }, { kind: 'exited', code: 5 }]);
    });

    it('is replaced by a new one after a drop, by itself', async () => {
      const relay = await openRelay(sshd);
      rig.onEnd(() => relay.close());
      at(relay);
      open();
      shell.input('echo fir""st\r');
      await screen.shows('first');
      relay.cut();
      await reaches('connected', 2);
      assert.deepEqual(states.map(({ kind }) => kind), ['connected', 'waiting', 'connected']);
      shell.input('echo sec""ond; stty size\r');
      await screen.shows('second');
      await screen.shows('30 100');
    });

    it('comes back after a stop and a start at another address', async () => {
      open();
      shell.input('echo fir""st\r');
      await screen.shows('first');
      rig.pod = { ...rig.pod, status: 'EXITED', ssh: {} };
      session.podChanged(rig.pod);
      await sshd.stop();
      await reaches('waiting');
      await until(() => {
        const { state } = shell;
        return state.kind === 'waiting' && state.reason instanceof PodUnavailableError && state.reason.code === 'stopped';
      }, 'the reason');
      sshd = await rig.sshd();
      at(sshd, { startedAgoMs: 1_000 });
      session.podChanged(rig.pod);
      await reaches('connected', 2);
      shell.input('echo sec""ond\r');
      await screen.shows('second');
    });

    it('waits for a pod that is not there, and tries at once when Enter is pressed', async () => {
      const running = rig.pod;
      rig.pod = { ...running, status: 'EXITED', ssh: {} };
      open();
      await reaches('waiting');
      shell.input('echo lost\r');
      await reaches('waiting', 2);
      rig.pod = running;
      shell.input('\r');
      await reaches('connected');
      shell.input('echo he""re\r');
      await screen.shows('here');
      assert.equal(screen.text.includes('echo lost'), false);
    });

    it('goes by way of the proxy where there is no direct address', async () => {
      const { direct } = rig.pod.ssh;
      assert.ok(direct);
      rig.pod = { ...rig.pod, ports: ['8888/http'], ssh: { proxy: direct } };
      open();
      shell.input('echo by""proxy; stty size\r');
      await screen.shows('byproxy');
      await screen.shows('30 100');
      assert.deepEqual(states, [{ kind: 'connected', again: false, proxy: true }]);
      shell.input('exit\r');
      await reaches('exited');
    });

    it('takes its shell along when it is closed', async () => {
      open();
      shell.input('echo $$ > pid; echo read""y\r');
      await screen.shows('ready');
      shell.dispose();
      const pid = (await readFile(path.join(dir, 'pid'), 'utf8')).trim();
      const gone = await session.run(`for i in $(seq 100); do kill -0 ${pid} 2>/dev/null || exit 0; sleep 0.05; done; exit 1`);
      assert.equal(gone.code, 0, 'the shell is gone from the pod');
    });
  });
});

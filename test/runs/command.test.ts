import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { composeCommand, composeLoginShell } from '../../src/runs/command';
import type { EnvironmentFiles } from '../../src/runs/podEnvironment';

/** What a login has before anything is loaded. */
const bare = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/nonexistent', SHELL: '/bin/bash', TERM: 'xterm' };

interface Ended {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const run = (argv: readonly string[], env: Record<string, string> = bare): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(argv[0] ?? '', argv.slice(1), { env, encoding: 'buffer', maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ code, stdout, stderr: stderr.toString() });
    });
    child.stdin?.end();
  });

/** What a value would make if it were evaluated. */
const never = path.join(os.tmpdir(), `never-${process.pid}`);
/** Values that break whatever evaluates, splits, trims or decodes them. */
const nasty: Readonly<Record<string, string>> = {
  QUOTES: `it's "quoted" \\' \\" \`backticks\``,
  SUBSTITUTION: `$(touch ${never}) \`touch ${never}\` \${HOME} $HOME $$`,
  NEWLINES: 'first\nsecond\n\nexport INJECTED=1\n',
  SPACES: '  two  spaces\tand a tab ',
  EQUALS: 'a=b=c',
  EMPTY: '',
  BACKSLASHES: '\\n \\\\ \\001 \\',
  GLOB: '* ? [a-z] ~',
  UNICODE: 'Ärger Á ā – 東京 🚀',
  SEMICOLON: `'; touch ${never}; '`,
  HASH: '# not a comment',
  BANG: 'a!b !! !x',
};

describe('a command for a pod', () => {
  let dir: string;
  let files: EnvironmentFiles;
  /** A PATH with one shell's tools only. */
  let busyboxPath: string;

  before(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'runs-command-'));
    files = { process: path.join(dir, 'environ'), exported: path.join(dir, 'rp_environment') };
    const entries = { RUNPOD_POD_ID: 'pod1', RUNPOD_API_KEY: 'the-pods-own', PUBLIC_KEY: 'ssh-ed25519 AAAA', HOME: '/wrong', PWD: '/wrong', TERM: 'wrong', UID: '7', OPTIND: 'x', ...nasty };
    const environ = Object.entries(entries).map(([name, value]) => `${name}=${value}\0`);
    await writeFile(files.process, Buffer.concat([Buffer.from(environ.join('')), Buffer.from('BASH_FUNC_f%%=() { :; }\0NOT A NAME=1\0'), Buffer.from('LATIN1=caf\xe9\0', 'latin1')]));
    busyboxPath = path.join(dir, 'busybox');
    await mkdir(busyboxPath);
    for (const tool of ['sh', 'tr', 'sed', 'env', 'printf', 'cat', 'ash', 'test', 'pwd']) await symlink('/usr/bin/busybox', path.join(busyboxPath, tool));
  });
  afterEach('nothing ran out of a value', () => assert.equal(existsSync(never), false));
  after(() => rm(dir, { recursive: true, force: true }));

  /** Runs what sshd would be given, under each shell that a pod may have as `/bin/sh`. */
  const shells: readonly { name: string; argv: (line: string) => string[]; env: () => Record<string, string> }[] = [
    { name: 'dash', argv: (line) => ['/bin/dash', '-c', line.replace('exec /bin/sh', 'exec /bin/dash')], env: () => bare },
    { name: 'bash as sh', argv: (line) => ['/bin/bash', '-c', line.replace('exec /bin/sh', 'exec /bin/bash --posix')], env: () => bare },
    { name: 'BusyBox', argv: (line) => ['/usr/bin/busybox', 'sh', '-c', line.replace('exec /bin/sh', 'exec sh')], env: () => ({ ...bare, PATH: busyboxPath, SHELL: path.join(busyboxPath, 'sh') }) },
  ];

  for (const shell of shells) {
    describe(`under ${shell.name}`, () => {
      const exec = (line: string): Promise<Ended> => run(shell.argv(line), shell.env());

      it('has the pod’s own environment, whatever its values hold', async () => {
        const { stdout, stderr, code } = await exec(composeCommand({ command: 'env -0 2>/dev/null || cat /proc/self/environ', environmentFiles: files }));
        assert.equal(code, 0, stderr);
        const got = new Map(
          stdout
            .toString('latin1')
            .split('\0')
            .map((entry) => [entry.slice(0, entry.indexOf('=')), Buffer.from(entry.slice(entry.indexOf('=') + 1), 'latin1')] as const),
        );
        for (const [name, value] of Object.entries(nasty)) assert.equal(got.get(name)?.toString(), value, name);
        assert.equal(got.get('LATIN1')?.toString('latin1'), 'caf\xe9');
        assert.equal(got.get('RUNPOD_API_KEY')?.toString(), 'the-pods-own');
        assert.equal(got.get('PYTHONUNBUFFERED')?.toString(), '1');
        assert.equal(got.get('HOME')?.toString(), '/nonexistent');
        for (const name of ['PUBLIC_KEY', 'INJECTED', 'OPTIND', 'NOT A NAME']) assert.equal(got.has(name), false, name);
        assert.equal(got.get('TERM')?.toString(), 'xterm');
      });

      it('falls back to the exported file, read as text', async () => {
        const exported = path.join(dir, `exported-${shell.name}`);
        await writeFile(exported, `export PUBLIC_KEY="x"\nexport A_VALUE="it's $(touch ${never}) "quoted" \`x\` \\"\nexport RUNPOD_POD_ID="pod1"\ntouch ${never}\n`);
        const missing: EnvironmentFiles = { process: path.join(dir, 'missing'), exported };
        const { stdout, stderr } = await exec(composeCommand({ command: 'printf %s "$A_VALUE|$RUNPOD_POD_ID|$PUBLIC_KEY"', environmentFiles: missing }));
        assert.equal(stdout.toString(), `it's $(touch ${never}) "quoted" \`x\` \\|pod1|`);
        assert.equal(stderr, '');
      });

      it('does not take the environment of a PID 1 that is no pod’s', async () => {
        const other = path.join(dir, `other-${shell.name}`);
        await writeFile(other, 'SOMEBODY=else\0');
        const { stdout, stderr, code } = await exec(composeCommand({ command: 'printf %s "$SOMEBODY"', environmentFiles: { process: other, exported: path.join(dir, 'missing') } }));
        assert.deepEqual([stdout.toString(), stderr, code], ['', '', 0]);
      });

      it('runs in folders of any name', async () => {
        for (const name of [`it's`, 'two  spaces', '-rf', '$(x)', 'a"b', 'new\nline', '東京', '~', '*']) {
          const cwd = path.join(dir, 'cwd', name);
          await mkdir(cwd, { recursive: true });
          const { stdout, stderr } = await exec(composeCommand({ command: 'pwd', cwd, environmentFiles: files }));
          assert.equal(stdout.toString(), `${cwd}\n`, stderr);
        }
      });

      it('sets variables of the task over the pod’s', async () => {
        const { stdout } = await exec(composeCommand({ command: 'printf "%s|%s" "$EQUALS" "$PYTHONUNBUFFERED"', env: { EQUALS: `o'ne\n"$HOME"`, PYTHONUNBUFFERED: '0' }, environmentFiles: files }));
        assert.equal(stdout.toString(), `o'ne\n"$HOME"|0`);
      });

      it('hands back exit codes and does not run in a folder that is missing', async () => {
        assert.equal((await exec(composeCommand({ command: 'exit 3', environmentFiles: files }))).code, 3);
        assert.equal((await exec(composeCommand({ command: 'definitely-not-a-command', environmentFiles: files }))).code, 127);
        const missing = await exec(composeCommand({ command: 'echo ran', cwd: path.join(dir, 'nowhere'), environmentFiles: files }));
        assert.equal(missing.code, 1);
        assert.equal(missing.stdout.toString(), '');
        assert.match(missing.stderr, /nowhere/);
      });

      it('starts a login shell in the folder, with what the image had on PATH', async () => {
        const tools = path.join(dir, 'tools');
        await mkdir(tools, { recursive: true });
        await writeFile(path.join(tools, 'only-here'), '#!/bin/sh\necho found it\n');
        await chmod(path.join(tools, 'only-here'), 0o755);
        const withPath = path.join(dir, `path-${shell.name}`);
        await writeFile(withPath, `RUNPOD_POD_ID=pod1\0PATH=${tools}:${shell.env()['PATH'] ?? ''}\0GREETING=it's\0`);
        const line = composeLoginShell({ cwd: tools, environmentFiles: { ...files, process: withPath } });
        const { stdout } = await new Promise<Ended>((resolve) => {
          const [file = '', ...args] = shell.argv(line);
          const child = execFile(file, args, { env: { ...shell.env(), PS1: '' }, encoding: 'buffer' }, (_error, out, err) => resolve({ code: 0, stdout: out, stderr: err.toString() }));
          child.stdin?.end('only-here\nprintf "%s|%s|%s\\n" "$PWD" "$GREETING" "$-"\nexit\n');
        });
        assert.match(stdout.toString(), /found it/);
        assert.match(stdout.toString(), new RegExp(`${tools}\\|it's\\|\\w*i`));
      });
    });
  }

  it('keeps a bash in its folder and in colour though its .bashrc exports PID 1’s variables', async () => {
    const home = path.join(dir, 'home');
    await mkdir(home);
    await writeFile(path.join(home, '.bashrc'), 'export PWD="/" TERM="dumb" OLDPWD="/x"\nalias greet="echo aliased"\n');
    const line = composeLoginShell({ cwd: busyboxPath, env: { TERM: 'xterm-256color' }, environmentFiles: files });
    const { stdout } = await new Promise<Ended>((resolve) => {
      const child = execFile('/bin/bash', ['-c', line], { env: { ...bare, HOME: home, TERM: 'xterm-256color' }, encoding: 'buffer' }, (_error, out, err) => resolve({ code: 0, stdout: out, stderr: err.toString() }));
      child.stdin?.end('echo "$PWD|$TERM"; greet; ls -l /proc/$$/fd | grep -c " 9 ->"\nexit\n');
    });
    assert.match(stdout.toString(), new RegExp(`${busyboxPath}\\|xterm-256color\naliased\n0\n`));
  });

  it('starts a login shell at home where the folder is missing', async () => {
    const line = composeLoginShell({ cwd: '/nowhere-at-all', environmentFiles: files });
    const child = run(['/bin/bash', '-c', `cd ${dir} && ${line.replace('exec /bin/sh', 'exec /bin/dash')}`]);
    assert.equal((await child).code, 0);
  });

  it('refuses what no shell could carry', () => {
    assert.throws(() => composeCommand({ command: 'x\0y' }), RangeError);
    assert.throws(() => composeCommand({ command: 'x', env: { 'a b': '1' } }), RangeError);
    assert.throws(() => composeCommand({ command: 'x', cwd: '-' }), RangeError);
  });

});

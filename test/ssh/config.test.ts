import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { ConfigFiles } from '../../src/ssh/configFiles';
import { editUserConfig, hasInclude, includeLine, ReadOnlyConfigError, withInclude, withoutInclude } from '../../src/ssh/configInclude';
import { aliasesFor, configPath, type ConfigHost, slugOf } from '../../src/ssh/configText';

const host = (podId: string, fields: Partial<ConfigHost> = {}): ConfigHost => ({
  podId,
  alias: `runpod-${podId}`,
  start: '2026-01-02T03:04:05.000Z',
  at: { host: '203.0.113.7', port: 12345, username: 'root' },
  identityFiles: ['/home/some one/50% off/id_ed25519'],
  identitiesOnly: true,
  ...fields,
});
const line = (podId: string): [string, string] => [podId, `runpod-${podId} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0+${podId}`];

describe('what OpenSSH is told of the pods', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod config '));
  });
  afterEach(() => fs.rm(dir, { recursive: true, force: true }));
  /** As the real ssh understands it. */
  const asSshSees = (config: string, alias: string): Map<string, string> =>
    new Map(execFileSync('ssh', ['-G', '-T', '-F', config, alias], { encoding: 'utf8' }).split('\n').map((text) => [text.split(' ')[0] ?? '', text.slice(text.indexOf(' ') + 1)]));

  it('is understood by ssh, odd paths and all, and by us again', async () => {
    const files = new ConfigFiles(path.join(dir, 'pods'), 'one');
    const hosts = [host('abc', { alias: 'runpod-llama-ft' }), host('def', { at: 'stopped', identityFiles: [], identitiesOnly: false }), host('ghi', { at: 'unchecked' })];
    await files.write(hosts, new Map([line('abc')]));
    const known = await files.read();
    assert.deepEqual(known.hosts, hosts);
    assert.deepEqual([...known.keys], [line('abc')]);
    for (const alias of ['runpod-llama-ft', 'runpod-abc']) {
      const seen = asSshSees(files.config, alias);
      assert.deepEqual(
        ['hostname', 'port', 'user', 'identityfile', 'identitiesonly', 'hostkeyalias', 'stricthostkeychecking', 'updatehostkeys'].map((key) => seen.get(key)),
        ['203.0.113.7', '12345', 'root', '/home/some one/50%% off/id_ed25519', 'yes', 'runpod-abc', 'true', 'false'],
      );
      assert.ok(seen.get('userknownhostsfile')?.includes(files.knownHosts), seen.get('userknownhostsfile'));
    }
    assert.match(asSshSees(files.config, 'runpod-def').get('hostname') ?? '', /stopped\.invalid$/);
    assert.match(asSshSees(files.config, 'runpod-ghi').get('hostname') ?? '', /not-checked-yet\.invalid$/);
    if (process.platform !== 'win32') assert.equal((await fs.stat(files.config)).mode & 0o077, 0);
  });

  it('holds nothing that a name or an address could smuggle in', async () => {
    const files = new ConfigFiles(path.join(dir, 'pods'), 'one');
    const smuggled = 'x\n  ProxyCommand touch /tmp/pwned';
    const at = { host: '203.0.113.7', port: 22, username: 'root' };
    const hostile = [
      host(smuggled, { alias: 'runpod-a' }),
      host('b', { alias: `runpod-${smuggled}` }),
      host('c', { start: smuggled }),
      host('d', { at: { ...at, host: `203.0.113.7\n  ProxyCommand x` } }),
      host('e', { at: { ...at, host: '-oProxyCommand=x' } }),
      host('f', { at: { ...at, username: 'root\n  LocalCommand x' } }),
      host('g h', { alias: 'runpod-g * !x' }),
    ];
    await files.write([...hostile, host('good', { identityFiles: ['/keys/a"\n  ProxyCommand x', '/keys/b'] })], new Map([line('good')]));
    const text = await fs.readFile(files.config, 'utf8');
    assert.doesNotMatch(text, /ProxyCommand|LocalCommand/);
    assert.deepEqual((await files.read()).hosts.map(({ podId, identityFiles }) => ({ podId, identityFiles })), [{ podId: 'good', identityFiles: ['/keys/b'] }]);
  });

  it('is shared with another editor on this computer, which keeps its own', async () => {
    const [one, two] = [new ConfigFiles(dir, 'one'), new ConfigFiles(dir, 'two')];
    await Promise.all([one.write([host('abc'), host('solo')], new Map([line('abc'), line('solo')])), two.write([host('abc', { identityFiles: ['/keys/two'] })], new Map([line('abc')]))]);
    assert.equal((await one.read()).hosts.length, 2);
    assert.equal((await two.read()).hosts.length, 1);
    await one.write([], new Map());
    assert.deepEqual((await fs.readFile(one.knownHosts, 'utf8')).trim(), line('abc')[1], 'the key of a pod that another editor knows stays');
    await two.remove();
    await assert.rejects(fs.stat(dir));
  });

  it('says odd paths and addresses so that ssh reads them as they are', async () => {
    const files = new ConfigFiles(path.join(dir, 'pods'), 'one');
    const odd = host('abc', { at: { host: 'fe80::1%eth0', port: 22, username: 'root' }, identityFiles: ['/home/a "b"/c\\d/id', '/keys/plain'] });
    await files.write([odd], new Map());
    assert.deepEqual((await files.read()).hosts, [odd]);
    const text = execFileSync('ssh', ['-G', '-T', '-F', files.config, 'runpod-abc'], { encoding: 'utf8' });
    assert.match(text, /^hostname fe80::1%eth0$/m);
    assert.match(text, /^identityfile \/home\/a "b"\/c\\d\/id$/m);
    assert.equal(configPath('C:\\Users\\Some One\\.ssh\\id'), '"C:/Users/Some One/.ssh/id"');
  });

  it('is what ssh goes by, whatever else the person’s configuration says', async () => {
    const files = new ConfigFiles(path.join(dir, '50% [of] it', 'pods'), 'one');
    await files.write([host('abc', { alias: 'runpod-llama-ft' })], new Map([line('abc')]));
    const mine = ['Match host *', '  User me', '  HostName 198.51.100.1', 'Host *', '  StrictHostKeyChecking no', '  UserKnownHostsFile /dev/null', '  Port 9', '  HostKeyAlias other', ''];
    for (const end of ['\n', '\r\n']) {
      const config = path.join(dir, 'mine');
      await fs.writeFile(config, mine.join(end));
      await editUserConfig(config, (text) => withInclude(text, includeLine(config, files.config)));
      const seen = asSshSees(config, 'runpod-llama-ft');
      assert.deepEqual(['hostname', 'port', 'user', 'stricthostkeychecking', 'hostkeyalias'].map((key) => seen.get(key)), ['203.0.113.7', '12345', 'root', 'true', 'runpod-abc']);
      assert.ok(seen.get('userknownhostsfile')?.endsWith('known_hosts'));
      assert.equal(asSshSees(config, 'elsewhere').get('user'), 'me');
      await editUserConfig(config, (text) => withoutInclude(text, includeLine(config, files.config)));
      assert.equal(await fs.readFile(config, 'utf8'), mine.join(end));
    }
  });

  it('takes the address of a pod’s id for nobody else', () => {
    const aliases = aliasesFor([{ id: 'a1', name: 'b2' }, { id: 'b2', name: 'x' }, { id: 'c3', name: 'train-e5' }, { id: 'd4', name: 'train' }, { id: 'e5', name: 'train' }], new Map([['a1', 'runpod-b2']]));
    assert.deepEqual([...aliases].sort(), [['a1', 'runpod-b2-a1'], ['b2', 'runpod-x'], ['c3', 'runpod-train-e5'], ['d4', 'runpod-train'], ['e5', 'runpod-e5']]);
  });

  it('keeps names that are names: lower case, unique, and the same from one time to the next', () => {
    assert.equal(slugOf('Llama FT (v2)'), 'llama-ft-v2');
    assert.equal(slugOf('Größe*?'), 'gro-e');
    assert.equal(slugOf('实验'), '');
    assert.equal(slugOf(`${'x'.repeat(59)}-y`), 'x'.repeat(59));
    const first = aliasesFor([{ id: 'b2', name: 'train' }, { id: 'a1', name: 'train' }, { id: 'c3', name: '实验' }], new Map());
    assert.deepEqual([...first].sort(), [['a1', 'runpod-train'], ['b2', 'runpod-train-b2'], ['c3', 'runpod-c3']]);
    const later = aliasesFor([{ id: 'a0', name: 'train' }, { id: 'b2', name: 'train' }], first);
    assert.deepEqual([...later].sort(), [['a0', 'runpod-train'], ['b2', 'runpod-train-b2']]);
    assert.deepEqual([...aliasesFor([{ id: 'a1', name: 'renamed' }], first)], [['a1', 'runpod-renamed']]);
  });
});

describe('the one line in a person’s SSH configuration', () => {
  let home: string;
  let config: string;
  beforeEach(async () => {
    home = await fs.mkdtemp(path.join(os.tmpdir(), 'runpod-home-'));
    config = path.join(home, '.ssh', 'config');
  });
  afterEach(() => fs.rm(home, { recursive: true, force: true }));

  it('is relative beside OpenSSH’s own configuration, and whole elsewhere', () => {
    const ours = path.join(home, '.ssh', 'runpod-workspaces', 'config');
    assert.equal(includeLine(config, ours), 'Include runpod-workspaces/config');
    assert.equal(includeLine(path.join(home, 'work.conf'), ours), `Include "${ours}"`);
  });

  it('goes first, once, in the file’s own line ends, and comes out again without a trace', () => {
    const include = 'Include runpod-workspaces/config';
    for (const text of ['', 'Host a\n  Port 1\n', 'Host a\r\n  Port 1\r\n', '# mine\nServerAliveInterval 9\n\nHost *\n  User me']) {
      const added = withInclude(text, include);
      assert.ok(added.startsWith(`${include}\n`) || added.startsWith(`${include}\r\n`));
      assert.equal(withInclude(added, include), added);
      assert.equal(withoutInclude(added, include), text);
    }
    assert.ok(hasInclude(`  include   runpod-workspaces/config\nHost a\n`, include));
    assert.ok(!hasInclude(`Host a\n  Include runpod-workspaces/config\n`, include), 'below a Host it counts for that host only');
  });

  it('leaves every other byte as it is, whatever their encoding', async () => {
    await fs.mkdir(path.dirname(config), { mode: 0o700 });
    const latin1 = Buffer.from('# f\u00fcr alle\nHost a\n', 'latin1');
    await fs.writeFile(config, latin1);
    await editUserConfig(config, (text) => withInclude(text, 'Include runpod-workspaces/config'));
    assert.deepEqual(await fs.readFile(config), Buffer.concat([Buffer.from('Include runpod-workspaces/config\n\n'), latin1]));
    await editUserConfig(config, (text) => withoutInclude(text, 'Include runpod-workspaces/config'));
    assert.deepEqual(await fs.readFile(config), latin1);
    assert.equal(withoutInclude('Include runpod-workspaces/config', 'Include runpod-workspaces/config'), '', 'an editor may have taken the last line end');
  });

  it('is not forced into a file that is read-only', async () => {
    await fs.mkdir(path.dirname(config), { mode: 0o700 });
    await fs.writeFile(config, 'Host a\n', { mode: 0o444 });
    await assert.rejects(editUserConfig(config, (text) => withInclude(text, 'Include x')), (error) => error instanceof ReadOnlyConfigError && error.file === config);
    assert.equal(await fs.readFile(config, 'utf8'), 'Host a\n');
  });

  it('is added to what the file says at that moment', async () => {
    await fs.mkdir(path.dirname(config), { mode: 0o700 });
    await fs.writeFile(config, 'Host a\n');
    let first = true;
    // Another program writes between our look and our writing.
    await editUserConfig(config, (text) => {
      if (first) writeFileSync(config, 'Host a\nHost b\n');
      first = false;
      return withInclude(text, 'Include x');
    });
    assert.equal(await fs.readFile(config, 'utf8'), 'Include x\n\nHost a\nHost b\n');
  });

  it('is written where a link leads, with the mode it had, into a folder made for it', async () => {
    const add = (text: string): string => withInclude(text, 'Include runpod-workspaces/config');
    assert.equal(await editUserConfig(config, add), true);
    assert.equal((await fs.stat(config)).mode & 0o777, 0o600);
    assert.equal((await fs.stat(path.dirname(config))).mode & 0o777, 0o700);
    assert.equal(await editUserConfig(config, add), false);
    const dotfiles = path.join(home, 'dotfiles-config');
    await fs.writeFile(dotfiles, 'Host a\n', { mode: 0o640 });
    await fs.rm(config);
    await fs.symlink(dotfiles, config);
    await editUserConfig(config, add);
    assert.ok((await fs.lstat(config)).isSymbolicLink());
    assert.equal(await fs.readFile(dotfiles, 'utf8'), 'Include runpod-workspaces/config\n\nHost a\n');
    assert.equal((await fs.stat(dotfiles)).mode & 0o777, 0o640);
    assert.deepEqual((await fs.readdir(home)).filter((name) => name.endsWith('.new')), []);
  });
});

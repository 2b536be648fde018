import assert from 'node:assert/strict';
import { readConnectionFile } from '../../../src/pods/profile/connectionFile';

describe('a machine that a folder names', () => {
  const read = (fields: object): ReturnType<typeof readConnectionFile> => readConnectionFile(JSON.stringify({ host: 'gpu.example.test', ...fields }));

  it('is read with what is usual where nothing is said', () => {
    assert.deepEqual(read({}), { user: 'root', host: 'gpu.example.test', port: 22, remoteDir: '/workspace' });
    assert.deepEqual(read({ user: 'dev', port: '2222', ssh_key: '~/.ssh/id_ed25519', remote_dir: '/home/dev/it’s here' }), { user: 'dev', host: 'gpu.example.test', port: 2222, sshKey: '~/.ssh/id_ed25519', remoteDir: '/home/dev/it’s here' });
  });

  it('is none where a field would mean more than it says', () => {
    const wrong = [
      { host: '-oProxyCommand=x' }, { host: 'a b' }, { host: 'a\nb' }, { host: '' },
      { user: '-l' }, { user: 'a b' }, { user: 'a\n' },
      { port: 0 }, { port: 65536 }, { port: '99999' }, { port: '0' }, { port: '22 -o' }, { port: 2.5 },
      { remote_dir: 'relative' }, { remote_dir: '/a\nb' }, { remote_dir: '/a\0b' },
      { ssh_key: '\\\\elsewhere\\share\\key' }, { ssh_key: '//elsewhere/share/key' }, { ssh_key: 'a\nb' }, { ssh_key: 5 },
    ];
    for (const fields of wrong) assert.throws(() => read(fields), Error, JSON.stringify(fields));
    assert.throws(() => readConnectionFile('nonsense'));
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { planRun, probeFile, readFacts, type FileFacts } from '../../src/runs/interpreter';

const execute = promisify(execFile);
const plain: FileFacts = { exists: true, executable: false, shebang: undefined, venvPython: undefined, python: '/usr/bin/python3' };
const command = (file: string, facts: Partial<FileFacts> = {}, configured?: Record<string, string>): string => {
  const plan = planRun(file, { ...plain, ...facts }, configured);
  return plan.kind === 'run' ? plan.command : plan.kind;
};

describe('which interpreter runs a file', () => {
  it('goes by the type', () => {
    assert.equal(command('/workspace/train.py'), 'python3 /workspace/train.py');
    assert.equal(command('/workspace/TRAIN.PY'), 'python3 /workspace/TRAIN.PY');
    assert.equal(command('/workspace/run me.sh'), `bash '/workspace/run me.sh'`);
    assert.equal(command('/workspace/a.ipynb'), 'python3 -m jupyter nbconvert --to notebook --execute --inplace /workspace/a.ipynb');
    assert.equal(command('/workspace/train.py', { python: '/opt/conda/bin/python' }), 'python /workspace/train.py');
  });

  it('takes the Python of a virtual environment', () => {
    const venvPython = `/workspace/it's/.venv/bin/python`;
    assert.equal(command('/workspace/train.py', { venvPython }), `'/workspace/it'\\''s/.venv/bin/python' /workspace/train.py`);
    assert.equal(command('/workspace/a.ipynb', { venvPython: '/w/.venv/bin/python' }), '/w/.venv/bin/python -m jupyter nbconvert --to notebook --execute --inplace /workspace/a.ipynb');
  });

  it('lets the person decide', () => {
    assert.equal(command('/w/a.py', {}, { '.py': 'accelerate launch' }), 'accelerate launch /w/a.py');
    assert.equal(command('/w/a.py', { venvPython: '/w/.venv/bin/python' }, { '.py': 'python -O' }), '/w/.venv/bin/python -O /w/a.py');
    assert.equal(command('/w/a.xyz', {}, { '.xyz': 'xyz run' }), 'xyz run /w/a.xyz');
    assert.equal(command('/w/a.go', {}, { '.go': '' }), 'no-interpreter');
  });

  it('runs executables as they say themselves', () => {
    assert.equal(command('/w/tool', { executable: true }), '/w/tool');
    assert.equal(command('/w/tool.py', { executable: true, shebang: '/opt/conda/envs/x/bin/python -O' }), '/w/tool.py');
    assert.equal(command('/w/tool.py', { executable: true, shebang: '/usr/bin/env python3', venvPython: '/w/.venv/bin/python' }), '/w/.venv/bin/python /w/tool.py');
    assert.equal(command('/w/tool', { shebang: '/usr/bin/env -S deno run' }), `/usr/bin/env '-S deno run' /w/tool`);
    assert.equal(command('/w/tool', { shebang: '/bin/bash' }), '/bin/bash /w/tool');
    assert.equal(command('/w/tool', { shebang: '/usr/bin/env python3' }), 'python3 /w/tool');
  });

  it('says when it does not know, or when there is no such file', () => {
    assert.deepEqual(planRun('/w/notes.txt', plain), { kind: 'no-interpreter', extension: '.txt' });
    assert.deepEqual(planRun('/w/.hidden', plain), { kind: 'no-interpreter', extension: '' });
    assert.deepEqual(planRun('/w/a.py', { ...plain, exists: false }), { kind: 'missing' });
  });

  describe('asked on the pod', () => {
    let dir: string;
    before(async () => {
      dir = await mkdtemp(path.join(os.tmpdir(), 'runs-probe-'));
      const deep = path.join(dir, `it's\na "folder"`, 'src');
      await mkdir(deep, { recursive: true });
      await mkdir(path.join(dir, `it's\na "folder"`, '.venv', 'bin'), { recursive: true });
      await symlink('/usr/bin/env', path.join(dir, `it's\na "folder"`, '.venv', 'bin', 'python'));
      await writeFile(path.join(deep, '-train.py'), 'print(1)\n');
      await writeFile(path.join(dir, 'tool'), '#!/usr/bin/env -S node --x\r\nrest\n');
      await chmod(path.join(dir, 'tool'), 0o755);
      await writeFile(path.join(dir, 'weights.bin'), Buffer.alloc(100_000));
    });
    after(() => rm(dir, { recursive: true, force: true }));

    for (const shell of [['/bin/bash'], ['/bin/dash'], ['/usr/bin/busybox', 'sh']]) {
      const probe = async (file: string): Promise<FileFacts> => {
        const [argv0 = '', ...args] = shell;
        return readFacts((await execute(argv0, [...args, '-c', probeFile(file, dir)])).stdout);
      };
      it(`answers under ${shell.join(' ')}`, async () => {
        const folder = path.join(dir, `it's\na "folder"`);
        const train = await probe(path.join(folder, 'src', '-train.py'));
        assert.deepEqual([train.exists, train.executable, train.shebang, train.venvPython], [true, false, undefined, path.join(folder, '.venv/bin/python')]);
        assert.match(train.python ?? '', /\/python3?$/);
        const tool = await probe(path.join(dir, 'tool'));
        assert.deepEqual([tool.exists, tool.executable, tool.shebang, tool.venvPython], [true, true, '/usr/bin/env -S node --x', undefined]);
        assert.equal((await probe(path.join(dir, 'weights.bin'))).shebang, undefined);
        assert.equal((await probe(path.join(dir, 'nothing.py'))).exists, false);
      });
    }
  });
});

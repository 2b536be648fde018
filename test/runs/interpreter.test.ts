import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { planRun, probeFile, pythonWords, readFacts, type FileFacts } from '../../src/runs/interpreter';

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
    assert.equal(command('/workspace/train.py', { python: '/opt/conda/bin/python' }), 'python /workspace/train.py');
  });

  it('takes the Python of a virtual environment', () => {
    const venvPython = `/workspace/it's/.venv/bin/python`;
    assert.equal(command('/workspace/train.py', { venvPython }), `'/workspace/it'\\''s/.venv/bin/python' /workspace/train.py`);
  });

  it('executes notebooks with what is there, and says what is missing', () => {
    const nbconvert = 'nbconvert --to notebook --execute --inplace --ExecutePreprocessor.timeout=-1';
    assert.equal(command('/w/a b.ipynb', { notebookTool: 'nbconvert' }), `python3 -m ${nbconvert} '/w/a b.ipynb'`);
    assert.equal(command('/w/a.ipynb', { notebookTool: 'nbconvert', venvPython: '/w/.venv/bin/python' }), `/w/.venv/bin/python -m ${nbconvert} /w/a.ipynb`);
    assert.equal(command('/w/a b.ipynb', { notebookTool: 'papermill' }), `python3 -m papermill '/w/a b.ipynb' '/w/a b.ipynb'`);
    assert.equal(command('/w/a.ipynb', { notebookTool: 'jupyter' }), `jupyter ${nbconvert} /w/a.ipynb`);
    assert.equal(command('/w/a.ipynb', {}, { '.ipynb': 'python -m own' }), 'python3 -m own /w/a.ipynb');
    assert.deepEqual(planRun('/w/a.ipynb', { ...plain, venvPython: `/w/it's/bin/python` }), { kind: 'no-notebook-tool', install: `'/w/it'\\''s/bin/python' -m pip install nbconvert ipykernel || uv pip install --python '/w/it'\\''s/bin/python' nbconvert ipykernel` });
    assert.deepEqual(planRun('/w/a.ipynb', { ...plain, exists: false }), { kind: 'missing' });
  });

  it('runs a project of uv by uv, and tells which Python it is', () => {
    assert.equal(command('/w/src/a.py', { uvProject: '/w' }), 'uv run --project /w python /w/src/a.py');
    assert.equal(pythonWords({ ...plain, uvProject: '/w' }), 'uv, /w');
    assert.equal(pythonWords({ ...plain, version: 'Python 3.11.9' }), 'Python 3.11.9, /usr/bin/python3');
    assert.equal(pythonWords({ ...plain, version: 'Python 3.11.9', conda: '/opt/conda/envs/sdxl' }), 'Python 3.11.9, /opt/conda/envs/sdxl');
    assert.equal(pythonWords({ ...plain, version: 'Python 3.11.9', venvPython: '/w/.venv/bin/python' }), 'Python 3.11.9, /w/.venv');
    assert.equal(pythonWords(plain), undefined);
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
      // A Python that has nothing but nbconvert, a conda environment, and a project of uv.
      const has = (module: string): string => `#!/bin/sh\ncase $1 in -V) echo Python 3.11.9 ;; -c) [ "$3" = ${module} ] ;; esac\n`;
      for (const [folder, module] of [['nb/.venv', 'nbconvert'], ['pm/env', 'papermill'], ['bare/.conda', 'nothing'], ['conda', 'nothing']] as const) {
        await mkdir(path.join(dir, folder, 'bin'), { recursive: true });
        await writeFile(path.join(dir, folder, 'bin', folder === 'conda' ? 'python3' : 'python'), has(module), { mode: 0o755 });
        await writeFile(path.join(dir, folder, '..', 'a.ipynb'), '{}');
      }
      await mkdir(path.join(dir, 'conda', 'conda-meta'));
      await writeFile(path.join(dir, 'conda', 'bin', 'uv'), '#!/bin/sh\n', { mode: 0o755 });
      await mkdir(path.join(dir, 'uv', 'src'), { recursive: true });
      await writeFile(path.join(dir, 'uv', 'uv.lock'), '');
      await writeFile(path.join(dir, 'uv', 'src', 'a.py'), '');
      await writeFile(path.join(dir, 'weights.bin'), Buffer.alloc(100_000));
    });
    after(() => rm(dir, { recursive: true, force: true }));

    for (const shell of [['/bin/bash'], ['/bin/dash'], ['/usr/bin/busybox', 'sh']]) {
      const probe = async (file: string, env: NodeJS.ProcessEnv = process.env): Promise<FileFacts> => {
        const [argv0 = '', ...args] = shell;
        return readFacts((await execute(argv0, [...args, '-c', probeFile(file, dir)], { env })).stdout);
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
        const notebook = async (folder: string): Promise<unknown[]> => {
          const facts = await probe(path.join(dir, folder, 'a.ipynb'));
          return [facts.notebookTool, facts.version, facts.venvPython === undefined ? undefined : path.relative(dir, facts.venvPython)];
        };
        assert.deepEqual(await notebook('nb'), ['nbconvert', 'Python 3.11.9', 'nb/.venv/bin/python']);
        assert.deepEqual(await notebook('pm'), ['papermill', 'Python 3.11.9', 'pm/env/bin/python']);
        assert.deepEqual(await notebook('bare'), [undefined, 'Python 3.11.9', 'bare/.conda/bin/python']);
        const inConda = { ...process.env, PATH: `${path.join(dir, 'conda', 'bin')}:${process.env['PATH'] ?? ''}` };
        const uv = await probe(path.join(dir, 'uv', 'src', 'a.py'), inConda);
        assert.deepEqual([uv.conda, uv.uvProject, uv.version], [path.join(dir, 'conda'), path.join(dir, 'uv'), 'Python 3.11.9']);
        const none = await probe(path.join(dir, 'uv', 'src', 'a.py'), { PATH: '/usr/bin:/bin' });
        assert.equal(none.uvProject, undefined);
      });
    }
  });
});

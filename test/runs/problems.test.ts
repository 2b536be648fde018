import assert from 'node:assert/strict';
import { placesIn, resolvePath } from '../../src/runs/places';
import { lastLines, plainText } from '../../src/runs/plainText';
import { ProblemReader, type Problem } from '../../src/runs/problems';

const where = (text: string): string[] => placesIn(text).map(({ path, line, column, start, length }) => `${path}:${line}${column === undefined ? '' : `:${column}`} “${text.slice(start, start + length)}”`);

describe('places in output', () => {
  it('are found as programs name them', () => {
    assert.deepEqual(where('  File "/workspace/my project/train.py", line 12, in main'), ['/workspace/my project/train.py:12 “File "/workspace/my project/train.py", line 12”']);
    assert.deepEqual(where('src/kernel.cu(40): error: identifier "x" is undefined'), ['src/kernel.cu:40 “src/kernel.cu(40)”']);
    assert.deepEqual(where('src/a.ts(3,5): error TS2322: no'), ['src/a.ts:3:5 “src/a.ts(3,5)”']);
    assert.deepEqual(where('main.c:3:10: fatal error: x.h: No such file'), ['main.c:3:10 “main.c:3:10”']);
    assert.deepEqual(where('    at run (file:///workspace/app/index.mjs:10:15)'), ['/workspace/app/index.mjs:10:15 “file:///workspace/app/index.mjs:10:15”']);
    assert.deepEqual(where('  --> src/main.rs:3:5'), ['src/main.rs:3:5 “src/main.rs:3:5”']);
    assert.deepEqual(where('tests/test_a.py:12: AssertionError'), ['tests/test_a.py:12 “tests/test_a.py:12”']);
  });

  it('are found in what tools print for folders and files with blanks', () => {
    const said: readonly (readonly [string, string])[] = [
      // Python 3.11
      ['  File "/workspace/my project/src/train loop.py", line 7, in <module>', '/workspace/my project/src/train loop.py:7'],
      // gcc 12, clang 14 and nvcc 12
      ['my src/main file.c:3:10: error: ‘x’ undeclared (first use in this function)', 'my src/main file.c:3:10'],
      ['In file included from my src/a.h:2,', 'my src/a.h:2'],
      ['/workspace/my project/k.cu(40): error: identifier "x" is undefined', '/workspace/my project/k.cu:40'],
      ['my src/k.cu(41): warning #177-D: variable "a" was declared but never referenced', 'my src/k.cu:41'],
      // rustc 1.80
      ['  --> src/my bin/main.rs:2:18', 'src/my bin/main.rs:2:18'],
      ['   ::: /root/.cargo/registry/src/serde-1.0.1/src/lib.rs:99:1', '/root/.cargo/registry/src/serde-1.0.1/src/lib.rs:99:1'],
      // tsc 5, plain and in colour
      [`my src/a file.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.`, 'my src/a file.ts:1:7'],
      [`my src/a file.ts:1:7 - error TS2322: Type 'string' is not assignable to type 'number'.`, 'my src/a file.ts:1:7'],
      // pytest 8
      ['my tests/test a.py:12: AssertionError', 'my tests/test a.py:12'],
      ['FAILED tests/test_a.py::test_one - assert 1 == 2', ''],
      // Node 22
      ['    at main (/workspace/my app/index.js:10:15)', '/workspace/my app/index.js:10:15'],
      ['    at async file:///workspace/my%20app/index.mjs:10:15', '/workspace/my app/index.mjs:10:15'],
      ['file:///workspace/100%/a.mjs:3', '/workspace/100%/a.mjs:3'],
      // Words before it are no part of it.
      ['failed at main.py:3', 'main.py:3'],
      ['see also src/model.py:12 and src/data.py:7', 'src/model.py:12 src/data.py:7'],
      ['/workspace/Ärger/東京.py:3: DeprecationWarning: x', '/workspace/Ärger/東京.py:3'],
      ['Ärger/東京.py:3', 'Ärger/東京.py:3'],
    ];
    for (const [line, places] of said) assert.equal(placesIn(line).map(({ path, line: at, column }) => [path, at, column].filter((part) => part !== undefined).join(':')).join(' '), places, line);
  });

  it('are not seen in what only looks like them', () => {
    for (const text of ['epoch 3: 12:30:01 loss 0.5', 'File "<stdin>", line 1', 'http://127.0.0.1:8888/lab', 'ratio 3:4', 'v1.2:3', '100%|████| 10/10 [00:01<00:00, 9.9it/s]']) assert.deepEqual(where(text), [], text);
  });

  it('are resolved against the folder of the run', () => {
    assert.equal(resolvePath('src/../a.py', '/workspace/p'), '/workspace/p/a.py');
    assert.equal(resolvePath('/opt/x.py', '/workspace/p'), '/opt/x.py');
  });
});

describe('problems in output', () => {
  const read = (text: string, pieces = 7): Problem[] => {
    const found: Problem[] = [];
    const reader = new ProblemReader((path) => path.startsWith('/workspace/') || !path.startsWith('/'), (problem) => found.push(problem));
    for (let i = 0; i < text.length; i += pieces) reader.read(text.slice(i, i + pieces));
    return found;
  };
  const brief = ({ severity, path, line, column, message }: Problem): unknown[] => [severity, path, line, column, message];

  it('are Python’s tracebacks, at the last frame that is ours', () => {
    const text = [
      'step 1',
      'Traceback (most recent call last):',
      '  File "/workspace/train.py", line 10, in <module>',
      '    main()',
      '    ~~~~^^',
      '  File "/workspace/model.py", line 4, in main',
      '    torch.zeros(-1)',
      '  File "/usr/lib/python3/torch/x.py", line 99, in zeros',
      '    raise',
      'RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB',
      '',
    ].join('\r\n');
    const [problem, ...more] = read(text);
    assert.ok(problem);
    assert.deepEqual(brief(problem), ['error', '/workspace/model.py', 4, undefined, 'RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB']);
    assert.deepEqual(problem.frames.map(({ line }) => line), [10, 99]);
    assert.equal(more.length, 0);
  });

  it('are syntax errors, which have no traceback, and coloured ones', () => {
    assert.deepEqual(read('  File "/workspace/a.py", line 3\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n').map(brief), [['error', '/workspace/a.py', 3, undefined, 'SyntaxError: invalid syntax']]);
    assert.deepEqual(read('Traceback (most recent call last):\n  File \x1b[35m"/workspace/a.py"\x1b[0m, line \x1b[35m3\x1b[0m, in \x1b[35m<module>\x1b[0m\n\x1b[1;35mKeyError\x1b[0m: \x1b[35m\'x\'\x1b[0m\n').map(brief), [['error', '/workspace/a.py', 3, undefined, "KeyError: 'x'"]]);
  });

  it('are what compilers say', () => {
    assert.deepEqual(read('main.c:3:10: fatal error: x.h: No such file\nmain.c:5:1: warning: unused [-Wunused]\nkernel.cu(40): error: identifier "x" is undefined\nkernel.cu(41): warning #177-D: unused\nsrc/a.ts(3,5): error TS2322: no\nerror[E0425]: cannot find value\n --> src/main.rs:3:5\n').map(brief), [
      ['error', 'main.c', 3, 10, 'x.h: No such file'],
      ['warning', 'main.c', 5, 1, 'unused [-Wunused]'],
      ['error', 'kernel.cu', 40, undefined, 'identifier "x" is undefined'],
      ['warning', 'kernel.cu', 41, undefined, 'unused'],
      ['error', 'src/a.ts', 3, 5, 'no'],
      ['error', 'src/main.rs', 3, 5, 'cannot find value'],
    ]);
  });

  it('are none of a program that only talks', () => {
    assert.deepEqual(read('12:30:01: error: something failed\nINFO: File "x", line\nloss: 0.5\n'.repeat(3)), []);
  });
});

describe('output as plain text', () => {
  it('has no colours and of a progress bar the last state', () => {
    assert.equal(plainText('\x1b[32mgreen\x1b[0m\r\n 10%\r 50%\r100%\r\ntitle\x1b]0;x\x07 end\r\nab\bc\n'), 'green\n100%\ntitle end\nac\n');
    assert.deepEqual(lastLines('a\r\n\r\nb \r\n\x1b[0m\r\n', 2), ['a', 'b']);
  });
});

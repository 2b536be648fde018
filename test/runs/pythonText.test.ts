import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { forPythonPrompt } from '../../src/runs/pythonText';

/** What a real prompt makes of it. */
function typed(code: string): string {
  const { stdout, stderr } = spawnSync('python3', ['-q', '-i'], { input: forPythonPrompt(code), env: { ...process.env, PYTHON_BASIC_REPL: '1', PYTHONSTARTUP: '' } });
  assert.equal(/Error/.test(stderr.toString()), false, stderr.toString());
  return stdout.toString();
}

describe('Python for the prompt', () => {
  it('runs whole blocks, with empty lines in them', () => {
    assert.equal(typed('def f(x):\n    y = x\n\n    return y * 2\nprint(f(21))'), '42\n');
    assert.equal(typed('for i in range(2):\n    if i:\n        print("one")\n\n    else:\n        print("zero")\n\nprint("end")'), 'zero\none\nend\n');
    assert.equal(typed('try:\n    1 / 0\nexcept ZeroDivisionError:\n    print("caught")\nfinally:\n    print("finally")'), 'caught\nfinally\n');
  });

  it('is cut out of the middle of a block', () => assert.equal(typed('        a = 1\n        if a:\n            print("inner")\n        print("outer")'), 'inner\nouter\n'));

  it('leaves text and brackets as they are', () => {
    assert.equal(typed('text = """first\n\n   second: (\n"""\nprint(repr(text))'), "'first\\n\\n   second: (\\n'\n");
    assert.equal(typed('x = [\n    1,\n\n    2,\n]\nprint(x)'), '[1, 2]\n');
  });

  it('is not cut short by remarks at the margin', () => assert.equal(typed('def f():\n    x = 1\n# why\n    return x\n# done\nprint(f())'), '1\n'));

  it('knows decorators and classes', () => assert.equal(typed('@staticmethod\ndef f():\n    return 3\nclass A:\n    x = 1\n\n    def g(self):\n        return self.x\nprint(A().g())'), '1\n'));
});

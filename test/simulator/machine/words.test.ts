import assert from 'node:assert/strict';
import { shellWords } from './words';

describe('words of a start command', () => {
  for (const [text, words] of [
    ['', []],
    ['  sleep   infinity\n', ['sleep', 'infinity']],
    [`bash -c 'echo "$HOME"; sleep infinity'`, ['bash', '-c', 'echo "$HOME"; sleep infinity']],
    [`bash -c "echo \\"$HOME\\" \\n \\$x"`, ['bash', '-c', 'echo "$HOME" \\n $x']],
    [`a\\ b 'c'"d"e ''`, ['a b', 'cde', '']],
    ['a \\\nb', ['a', '', 'b'].filter((word) => word !== '')],
    ['echo $(date) > x; y && z', ['echo', '$(date)', '>', 'x;', 'y', '&&', 'z']],
  ] as const)
    it(JSON.stringify(text), () => assert.deepEqual(shellWords(text), words));

  it('refuses an open quote', () => {
    assert.throws(() => shellWords('bash -c "echo'), RangeError);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ClipboardGuard } from '../../src/runs/clipboardGuard';

const all = (...pieces: string[]): string => {
  const guard = new ClipboardGuard();
  return pieces.map((piece) => guard.filter(piece)).join('');
};
const ESC = '\u001b';
const BEL = '\u0007';

describe('what a pod prints', () => {
  it('cannot ask for the clipboard, however it is spelled or cut', () => {
    const questions = [
      `${ESC}]52;c;?${BEL}`,
      `${ESC}]52;c;?${ESC}\\`,
      `${ESC}]52;;?${BEL}`,
      `${ESC}]0052;p;?;more${BEL}`,
      `\u009d52;c;?\u009c`,
      `${ESC}\u0000]5\u00002;\nc;\u0001?${BEL}`,
      `${ESC}${ESC}]52;c;?${BEL}`,
      `${ESC}]0;title${ESC}]52;c;?${BEL}`,
      `${ESC}]52;${'x'.repeat(5000)};?${BEL}`,
    ];
    for (const question of questions) {
      // What is left of it may be other sequences, and the ends of them.
      const left = (text: string): void => assert.doesNotMatch(text.replace(/[\0-\u0006\n]/g, ''), /(?:\u001b\]|\u009d)0*52;[^;]*;\?/, JSON.stringify(text));
      const whole = all(`a${question}b`);
      left(whole);
      assert.match(whole, /^a[^]*b$/);
      assert.equal(all(...`a${question}b`), whole, 'in single characters');
      for (let i = 1; i < Math.min(question.length, 40); i++) assert.equal(all(`a${question.slice(0, i)}`, `${question.slice(i)}b`), whole);
    }
  });

  it('is else as it was, to the last character', () => {
    const texts = ['plain ünï 🚀\r\n', `${ESC}[31mred${ESC}[0m`, `${ESC}]0;title${BEL}x`, `${ESC}]52;c;aGVsbG8=${BEL}`, `${ESC}]8;;https://x.test/?a;?${ESC}\\link${ESC}]8;;${ESC}\\`, `${ESC}]5${BEL}`, `${ESC}]52${BEL}`, `${ESC}]520;c;?${BEL}`, `${ESC}]633;A${BEL}`, `${ESC}(B${ESC}=`, `${ESC}P1$r0m${ESC}\\`];
    for (const text of texts) {
      assert.equal(all(text, '.'), `${text}.`);
      assert.equal(all(...text, '.'), `${text}.`);
    }
    fc.assert(
      fc.property(fc.array(fc.constantFrom(ESC, ']', '5', '2', '0', ';', 'c', BEL, '\\', 'a', '[', '\n'), { maxLength: 40 }), (chars) => {
        const text = chars.join('');
        assert.equal(all(text, '..'), `${text}..`);
      }),
    );
  });
});

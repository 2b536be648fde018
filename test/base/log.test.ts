import assert from 'node:assert/strict';
import { capped, cappedLog, iconless, LONGEST_LINE, plainName, plainWords, redact, unlinked } from '../../src/base/log';

describe('what others wrote, as it may be shown', () => {
  it('holds no key, known or not', () => {
    assert.equal(redact('key K3YK3Y and rpa_ABCDEFGH12345678 and rps_secretSECRET99', ['K3YK3Y', undefined, 'abc']), 'key ••• and ••• and •••');
    assert.equal(redact('rpa_short is a prefix'), 'rpa_short is a prefix');
  });

  it('holds no line end, no escape sequence, nothing that turns its direction, and ends somewhere', () => {
    assert.equal(plainName('a\u001b]8;;command:x\u0007b\n\u2066'), 'a\ufffd]8;;command:x\ufffdb\ufffd\ufffd');
    assert.equal(plainWords(' two\r\n  lines\u202e '), 'two lines');
    assert.equal(plainWords('x'.repeat(10_000_000)).length, 1001);
  });

  it('ends within a line of a log, and says how much is missing', () => {
    const lines: string[] = [];
    const write = (message: string): void => void lines.push(message);
    const log = cappedLog({ trace: write, debug: write, info: write, warn: write, error: write });
    const long = 'x'.repeat(16 * 1024 * 1024);
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) log[level](long);
    log.info('short');
    assert.equal(lines.pop(), 'short');
    assert.equal(lines.length, 5);
    for (const line of lines) assert.equal(line, `${'x'.repeat(LONGEST_LINE)}… (${long.length - LONGEST_LINE} more characters)`);
    assert.equal(capped('ab\u{1f600}c', 3), 'ab… (3 more characters)', 'no half of a character');
  });

  it('becomes no link of a notification, which could run a command of the editor', () => {
    // The editor's own pattern for links in a notification.
    const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
    const name = '[Fix it](command:workbench.action.terminal.sendSequence?%7B%22text%22%3A%22id%5Cn%22%7D)';
    assert.match(name, link);
    for (const text of [unlinked(name), plainName(name), plainWords(name), unlinked(`[a](${name})`)]) assert.doesNotMatch(text, link);
  });

  it('becomes no icon of a list or of the status bar', () => {
    // The editor's own pattern for icons in labels.
    const icon = /(\\)?\$\(([A-Za-z0-9-]+(?:~[A-Za-z]+)?)\)/;
    for (const name of ['$(trash) x', '\\$(trash)', '$$(sync~spin)', '$($(trash))']) {
      assert.match(name, icon);
      assert.doesNotMatch(iconless(name), icon);
      assert.equal(iconless(name).replaceAll('\u200c', ''), name);
    }
  });
});

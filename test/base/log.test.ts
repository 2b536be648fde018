import assert from 'node:assert/strict';
import { iconless, plainName, plainWords, redact, unlinked } from '../../src/base/log';

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

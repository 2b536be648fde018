import assert from 'node:assert/strict';
import { decodeName } from '../../../src/files/names';
import { FolderNames, rulesOf } from '../../../src/files/transfer/names';

describe('names on the other side', () => {
  const on = (platform: NodeJS.Platform, ...names: string[]): string[] => {
    const folder = FolderNames.onThisComputer(rulesOf(platform));
    return names.map((name) => folder.take(name));
  };

  it('keep what Windows cannot hold, as percent and digits', () => {
    assert.deepEqual(on('win32', 'a:b.txt', 'loss<1>.csv', 'ends.', 'ends ', 'tab\there', 'plain.py'), ['a%3Ab.txt', 'loss%3C1%3E.csv', 'ends%2E', 'ends%20', 'tab%09here', 'plain.py']);
    assert.deepEqual(on('win32', 'back\\slash', '..\\..\\up'), ['back%5Cslash', '..%5C..%5Cup']);
  });

  it('stay clear of the names that Windows gives to devices', () => {
    assert.deepEqual(on('win32', 'con', 'AUX.txt', 'com1.log', 'console', 'nul.tar.gz'), ['con_', 'AUX_.txt', 'com1_.log', 'console', 'nul_.tar.gz']);
  });

  it('stay apart where case does not count', () => {
    assert.deepEqual(on('win32', 'Model.bin', 'model.bin', 'MODEL.bin'), ['Model.bin', 'model (2).bin', 'MODEL (3).bin']);
    assert.deepEqual(on('darwin', 'README', 'readme', 'e\u0301', '\u00e9'), ['README', 'readme (2)', 'e\u0301', '\u00e9 (2)']);
    assert.deepEqual(on('linux', 'Model.bin', 'model.bin'), ['Model.bin', 'model.bin']);
  });

  it('are none that Windows reserves, with blanks before the ending either', () => {
    assert.deepEqual(on('win32', 'nul .txt', 'COM1', 'console.txt'), ['nul_ .txt', 'COM1_', 'console.txt']);
  });

  it('keep odd bytes on Linux and write them out elsewhere', () => {
    const odd = decodeName(Buffer.from([0x63, 0x61, 0x66, 0xe9]));
    assert.deepEqual(on('linux', odd), [odd]);
    assert.deepEqual(on('darwin', odd), ['caf%E9']);
  });

  it('fit on a pod: whole characters, 255 bytes, the ending kept', () => {
    const folder = FolderNames.onPod('win32');
    const long = folder.take(`${'重'.repeat(200)}.safetensors`);
    assert.ok(Buffer.byteLength(long) <= 255 && long.endsWith('.safetensors') && long.startsWith('重重'), long);
    assert.equal(folder.take('half \ud800.txt'), 'half \ufffd.txt');
    assert.equal(folder.take('same.txt'), 'same.txt');
    assert.equal(folder.take('same.txt'), 'same (2).txt');
    assert.equal(FolderNames.onPod('darwin').take('e\u0301.txt'), '\u00e9.txt');
  });
});

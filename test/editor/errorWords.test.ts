import assert from 'node:assert/strict';
import type { explain } from '../../src/editor/errorWords';
import { PodUnavailableError, type UnavailableFacts } from '../../src/pods/contracts';
import { aPod } from '../pods/fixtures';
import { standInForEditor } from './standIn';

describe('words for errors', () => {
  standInForEditor();
  let words: typeof explain;
  before(async () => {
    words = (await import('../../src/editor/errorWords')).explain;
  });

  it('speaks of the keys of the account only where RunPod’s proxy asked for them', () => {
    const host = '127.0.0.1';
    const pod = aPod({ ssh: { direct: { host, port: 22022, username: 'root' }, proxy: { host, port: 2222, username: 'pod-1' } } });
    const refused = (facts: UnavailableFacts): string => words(new PodUnavailableError('auth', pod.id, pod, { facts })).message;
    assert.match(refused({ host, port: 2222 }), /keys of the account/);
    assert.match(refused({ host, port: 22022 }), /accepts none of the SSH keys/);
    assert.match(refused({}), /accepts none of the SSH keys/);
  });

  it('names the address that no pod can have', () => {
    const pod = aPod({ ssh: { refused: '169.254.169.254' } });
    assert.match(words(new PodUnavailableError('bad-address', pod.id, pod, { facts: { host: '169.254.169.254' } })).message, /llama-ft is at 169\.254\.169\.254, which is no address of a pod/);
  });
});

import assert from 'node:assert/strict';
import type { ApiKeys } from '../../src/editor/apiKey';
import type { settings } from '../../src/editor/settings';
import { standInForEditor, world } from './standIn';

function memento(): { get<T>(key: string): T | undefined; update(key: string, value: unknown): Promise<void> } {
  const kept = new Map<string, unknown>();
  return { get: <T>(key: string) => kept.get(key) as T | undefined, update: async (key, value) => void kept.set(key, value) };
}

const RUNPOD = 'https://api.runpod.io';
const EVIL = 'https://api.runpod.example';
const variable = 'RUNPOD_API_KEY';

describe('the API key in the editor goes to the origin it belongs to', () => {
  standInForEditor();
  let modules: { ApiKeys: typeof ApiKeys; settings: typeof settings };
  let keys: ApiKeys;
  let secrets: Map<string, string>;
  const before_ = process.env[variable];

  before(async () => {
    modules = { ...(await import('../../src/editor/apiKey')), ...(await import('../../src/editor/settings')) };
  });
  after(() => {
    if (before_ === undefined) delete process.env[variable];
    else process.env[variable] = before_;
  });
  beforeEach(() => {
    process.env[variable] = 'rpa_FROMENVIRONMENT0';
    secrets = new Map();
    keys = new modules.ApiKeys({
      secrets: {
        get: async (name: string) => secrets.get(name),
        store: async (name: string, key: string) => void secrets.set(name, key),
        delete: async (name: string) => void secrets.delete(name),
        onDidChange: () => ({ dispose: () => undefined }),
      },
      globalState: { ...memento(), keys: () => [], setKeysForSync: () => undefined },
      workspaceState: { ...memento(), keys: () => [] },
      subscriptions: [],
    });
  });
  const at = (url: string): void => void world.settings.set('runpod.api.restUrl', `${url}/v2`);

  it('asks by name, once, before a key is given to an address that is not RunPod’s', async () => {
    assert.equal(await keys.destination(), RUNPOD);
    at('http://127.0.0.1:8080');
    assert.equal(await keys.destination(), 'http://127.0.0.1:8080');
    assert.equal(world.shown.length, 0);
    at(EVIL);
    world.answer = () => undefined;
    await assert.rejects(keys.destination(), { name: 'CancelledError' });
    assert.equal(await keys.current(), undefined, 'refused, so the key of the environment stays here');
    assert.match(world.shown[0]?.message ?? '', /https:\/\/api\.runpod\.example, which is not RunPod/);
    world.answer = (offered) => offered[0];
    assert.equal(await keys.destination(), EVIL);
    assert.equal(await keys.destination(), EVIL);
    assert.equal(world.shown.length, 2);
  });

  it('takes a port of this machine for another’s where the settings are a remote’s', async () => {
    at('http://127.0.0.1:8080');
    assert.equal((await keys.current())?.source, 'environment');
    world.remoteName = 'ssh-remote';
    assert.equal(await keys.current(), undefined, 'the port may be one that the remote has had forwarded');
    world.answer = () => undefined;
    await assert.rejects(keys.destination(), { name: 'CancelledError' });
    // Where the extension runs on that machine itself, the settings are its own.
    world.runsBesideTheWindow = false;
    assert.equal((await keys.current())?.source, 'environment');
  });

  it('gives no key of one address to another, also while the setting changes', async () => {
    await keys.store('rpa_STOREDFORRUNPOD', undefined);
    assert.equal((await keys.current(RUNPOD))?.key, 'rpa_STOREDFORRUNPOD');
    at(EVIL);
    assert.equal(await keys.current(), undefined);
    assert.equal(await keys.current(RUNPOD), undefined);
    await assert.rejects(keys.store('rpa_CHECKEDATRUNPOD', undefined, RUNPOD), /has changed/);
    assert.deepEqual([...secrets.keys()], [`runpod.apiKey:${RUNPOD}`]);
    world.settings.delete('runpod.api.restUrl');
    assert.equal(await keys.current(EVIL), undefined, 'asked for by a client of the other address');
  });

  it('reaches RunPod as this machine’s settings say, not a remote’s', () => {
    world.settings.set('http.proxy', 'http://proxy.remote:1').set('http.proxyStrictSSL', false).set('http.proxyAuthorization', 'Basic cmVtb3Rl');
    assert.deepEqual({ ...modules.settings.proxy(), env: {} }, { url: 'http://proxy.remote:1', authorization: 'Basic cmVtb3Rl', strictSsl: false, noProxy: [], env: {}, systemCertificates: true });
    world.remoteName = 'ssh-remote';
    assert.deepEqual({ ...modules.settings.proxy(), env: {} }, { strictSsl: true, noProxy: [], env: {}, systemCertificates: true });
    world.local.set('http.proxy', 'http://proxy.mine:1').set('http.proxyStrictSSL', false);
    assert.deepEqual({ ...modules.settings.proxy(), env: {} }, { url: 'http://proxy.mine:1', strictSsl: false, noProxy: [], env: {}, systemCertificates: true });
  });
});

import assert from 'node:assert/strict';
import { DEFAULT_ORIGIN, mayShareKey, mayUseEnvironmentKey, originOf, secretNameFor } from '../../src/runpod/keyOrigin';
import { clientFor, failure, json, ScriptedServer } from './scriptedServer';

describe('runpod keys: a key goes to its own origin and nowhere else', () => {
  it('binds a key to scheme, host and port', () => {
    assert.equal(originOf('https://api.runpod.io/v2'), DEFAULT_ORIGIN);
    assert.equal(originOf('https://API.runpod.io:443/v2/'), DEFAULT_ORIGIN);
    assert.equal(originOf('http://127.0.0.1:8080/v2'), 'http://127.0.0.1:8080');
    assert.equal(originOf('http://[::1]:8080/v2'), 'http://[::1]:8080');
    assert.notEqual(secretNameFor(originOf('https://api.runpod.io')), secretNameFor(originOf('https://api.runpod.io:444')));
    for (const url of ['http://api.runpod.io/v2', 'http://localhost.evil.test/', 'http://127.0.0.1.evil.test/', 'https://user:pw@api.runpod.io/v2', 'ftp://api.runpod.io', 'nonsense', '']) {
      assert.throws(() => originOf(url), TypeError, url);
    }
  });

  it('sends the key of the environment to the default origin, to this machine, and where it was approved', () => {
    assert.ok(mayUseEnvironmentKey(DEFAULT_ORIGIN, []));
    assert.ok(mayUseEnvironmentKey('http://localhost:9', []));
    assert.ok(mayUseEnvironmentKey('https://127.0.0.1:9', []));
    assert.ok(!mayUseEnvironmentKey('https://api.runpod.io.evil.test', []));
    assert.ok(!mayUseEnvironmentKey('https://v2-rest.example.test', ['https://other.test']));
    assert.ok(mayUseEnvironmentKey('https://v2-rest.example.test', ['https://v2-rest.example.test']));
  });

  it('shares the key with a GraphQL origin only when the two belong together', () => {
    assert.ok(mayShareKey(DEFAULT_ORIGIN, DEFAULT_ORIGIN));
    assert.ok(mayShareKey('https://v2-rest.runpod.io', DEFAULT_ORIGIN));
    assert.ok(mayShareKey('http://127.0.0.1:1', 'http://localhost:2'));
    assert.ok(mayShareKey('https://a.test', 'https://b.test', ['https://b.test']));
    assert.ok(!mayShareKey('https://a.test', 'https://b.test', ['https://a.test']));
    assert.ok(!mayShareKey(DEFAULT_ORIGIN, 'http://127.0.0.1:2'), 'a real key does not go to this machine unasked');
    assert.ok(!mayShareKey('http://127.0.0.1:1', DEFAULT_ORIGIN));
    assert.ok(!mayShareKey(DEFAULT_ORIGIN, 'https://v2-rest.runpod.io'));
  });

  it('follows no redirect, neither to another origin nor to another path', async () => {
    const thief = await ScriptedServer.start((_seen, response) => json(response, 200, { pods: [] }));
    const server = await ScriptedServer.start((seen, response) => void response.writeHead(seen.method === 'GET' ? 302 : 307, { location: `${thief.origin}/v2/pods` }).end());
    try {
      const { pods } = clientFor(server.restUrl);
      const read = await failure(pods.list());
      assert.equal(read.code, 'wrong-origin');
      assert.equal(read.detail, `Redirected to ${thief.origin}`);
      assert.equal((await failure(pods.create({ name: 'x', image: 'y', cpu: { id: 'cpu3c', vcpuCount: 2 } }))).code, 'wrong-origin');
      assert.equal((await failure((async () => { for await (const _ of pods.logs('p1')); })())).code, 'wrong-origin');
      assert.equal(thief.seen.length, 0);
      assert.equal(server.seen.length, 3);
    } finally {
      await Promise.all([thief.close(), server.close()]);
    }
  });

  it('refuses plain HTTP to another machine, and addresses that are none', async () => {
    for (const restUrl of ['http://192.0.2.1/v2', 'nonsense', 'https://user:pw@192.0.2.1/v2']) {
      const client = clientFor('http://127.0.0.1:9/v2', { restUrl, graphqlUrl: 'http://127.0.0.1:9/graphql' });
      assert.equal((await failure(client.pods.list())).code, 'wrong-origin', restUrl);
    }
  });

  it('asks a foreign GraphQL address for nothing, and says why there is no balance', async () => {
    const graphql = await ScriptedServer.start((_seen, response) => json(response, 200, { data: { myself: { clientBalance: 1, currentSpendPerHr: 0 } } }));
    try {
      const client = clientFor('https://api.runpod.io/v2', { graphqlUrl: `${graphql.origin}/graphql` });
      assert.equal(await client.account(), undefined);
      assert.equal(client.accountProblem?.code, 'wrong-origin');
      assert.equal(graphql.seen.length, 0);
      const approved = clientFor('https://api.runpod.io/v2', { graphqlUrl: `${graphql.origin}/graphql`, approvedOrigins: [graphql.origin] });
      assert.deepEqual(await approved.account(), { balance: 1, spendPerHour: 0 });
    } finally {
      await graphql.close();
    }
  });
});

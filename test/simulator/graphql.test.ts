import assert from 'node:assert/strict';
import { ApiClient, atOnce } from './apiClient';
import { parseOperation } from './graphql/parse';
import { startSimulator, type Simulator } from './simulator';

describe('GraphQL', () => {
  let simulator: Simulator;
  let api: ApiClient;
  before(async () => {
    simulator = await startSimulator({ mode: 'none', settings: { timings: atOnce } });
    api = new ApiClient(simulator);
  });
  after(() => simulator.close());

  it('reads aliases, variables, lists and comments', () => {
    const operation = parseOperation(
      'mutation Stop($id: String!, $n: Int = 3) { # why\n a: podStop(input: {podId: $id, list: [1, "x", true], kind: ALL}) { id runtime { ports { ip } } } b: other }',
      { id: 'p' },
    );
    assert.equal(operation.kind, 'mutation');
    assert.deepEqual(operation.fields.map((field) => [field.alias, field.name]), [['a', 'podStop'], ['b', 'other']]);
    assert.deepEqual(operation.fields[0]?.args, { input: { podId: 'p', list: [1, 'x', true], kind: 'ALL' } });
    assert.throws(() => parseOperation('{ myself {'), SyntaxError);
  });

  it('tells balance, spend and the last status change', async () => {
    const { data } = await api.graphql('query { myself { balance: clientBalance currentSpendPerHr pods { id lastStatusChange runtime { uptimeInSeconds } } } }');
    const myself = data?.['myself'] as { balance: number; currentSpendPerHr: number; pods: { id: string; lastStatusChange: string }[] };
    assert.ok(Math.abs(myself.balance - 18.42) < 0.01);
    assert.match(myself.pods.find((pod) => pod.id === 'k3v9mzt5x1q8re')?.lastStatusChange ?? '', /^Exited by user: \w{3} \w{3} \d\d \d{4} /);
    assert.match(myself.pods.find((pod) => pod.id === 'gfj8b292vyg08g')?.lastStatusChange ?? '', /^Rented by User: /);
  });

  it('fails in HTTP 200', async () => {
    const { errors } = await api.graphql('{ myself { shoeSize } }');
    assert.match(errors?.[0]?.message ?? '', /Cannot query field "shoeSize"/);
    assert.equal((await api.call('POST', '/graphql', { query: '{' })).status, 200);
    assert.match((await new ApiClient(simulator, 'bad').graphql('{ myself { id } }')).errors?.[0]?.message ?? '', /Unauthorized/);
  });

  it('sells the catalog without a key', async () => {
    const { data } = await new ApiClient(simulator, 'none').graphql('query { gpuTypes(input: {id: "NVIDIA GeForce RTX 4090"}) { id securePrice lowestPrice { stockStatus uninterruptablePrice } } }');
    assert.deepEqual(data?.['gpuTypes'], [{ id: 'NVIDIA GeForce RTX 4090', securePrice: 0.69, lowestPrice: { stockStatus: 'High', uninterruptablePrice: 0.69 } }]);
  });

  it('stops, resumes and terminates', async () => {
    const { id } = await api.create();
    await simulator.until(id, 'RUNNING');
    const inPod = new ApiClient(simulator, simulator.pod(id).key);
    const stopped = await inPod.graphql('mutation ($id: String!) { podStop(input: {podId: $id}) { id desiredStatus } }', { id });
    assert.deepEqual(stopped.data?.['podStop'], { id, desiredStatus: 'EXITED' });
    assert.match((await inPod.graphql('mutation { podStop(input: {podId: "gfj8b292vyg08g"}) { id } }')).errors?.[0]?.message ?? '', /Not authorized/);
    await api.graphql(`mutation { podResume(input: {podId: "${id}", gpuCount: 1}) { id } }`);
    await simulator.until(id, 'RUNNING');
    assert.deepEqual((await api.graphql(`mutation { podTerminate(input: {podId: "${id}"}) }`)).data, { podTerminate: null });
    assert.equal((await api.get(`/v2/pods/${id}`)).status, 404);
  });

  it('sells no spot pods, unless told', async () => {
    const rent = `mutation { podRentInterruptable(input: {bidPerGpu: 0.5, gpuTypeId: "NVIDIA GeForce RTX 4090", gpuCount: 1, name: "spot", imageName: "runpod/base:1", ports: "22/tcp", volumeInGb: 20, volumeMountPath: "/workspace"}) { id costPerHr podType } }`;
    assert.match((await api.graphql(rent)).errors?.[0]?.message ?? '', /no longer any instances available/);
    simulator.set({ spot: 'on' });
    const pod = (await api.graphql(rent)).data?.['podRentInterruptable'] as { id: string; costPerHr: number; podType: string };
    assert.deepEqual([pod.costPerHr, pod.podType], [0.5, 'INTERRUPTABLE']);
  });
});

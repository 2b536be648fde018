import assert from 'node:assert/strict';
import { command, podNamed, simulator } from './account';

interface Volume {
  readonly id: string;
  readonly name: string;
  readonly size: number;
}
const volumes = async (): Promise<Volume[]> => (await simulator.rest<{ networkVolumes: Volume[] }>('GET', 'network-volumes')).body.networkVolumes;

describe('changing what there is', () => {
  it('renames, locks and unlocks a pod', async () => {
    const { id } = await podNamed('prep-cpu');
    assert.deepEqual(await command('runpod.renamePod', id, { name: 'prep-2' }), { id, name: 'prep-2' });
    assert.deepEqual(await command('runpod.lockPod', id), { id, locked: true });
    await assert.rejects(Promise.resolve(command('runpod.changeEnvironment', id, { env: { A: '1' } })), /locked/);
    assert.deepEqual(await command('runpod.unlockPod', id), { id, locked: false });
    await command('runpod.renamePod', id, { name: 'prep-cpu' });
  });

  it('changes ports and environment of a pod, whole', async () => {
    const { id, env } = await podNamed('old-exp');
    await command('runpod.changePorts', id, { ports: ['22/tcp', '6006/http'], confirmed: true });
    await command('runpod.changeEnvironment', id, { env: { HF_HOME: '/workspace/hf' }, confirmed: true });
    const pod = await podNamed('old-exp');
    assert.deepEqual(pod.ports, ['22/tcp', '6006/http']);
    assert.deepEqual(pod.env, { HF_HOME: '/workspace/hf', PUBLIC_KEY: env['PUBLIC_KEY'] }, 'all is replaced but the keys, without which nobody gets in');
  });

  it('creates, grows and deletes a network volume', async () => {
    const { id } = await command<{ id: string }>('runpod.createVolume', { name: 'suite-data', size: 20, dataCenter: 'US-KS-2' });
    assert.deepEqual(await command('runpod.growVolume', 'suite-data', { size: 40 }), { id, size: 40 });
    assert.equal((await volumes()).find((v) => v.id === id)?.size, 40);
    await assert.rejects(Promise.resolve(command('runpod.growVolume', id, { size: 10 })));
    await command('runpod.deleteVolume', id, { confirmed: true });
    assert.ok(!(await volumes()).some((v) => v.id === id));
  });

  it('knows several accounts by name, each window one', async () => {
    const key = simulator.address.apiKey;
    await command('runpod.setApiKey', { key, name: 'team' });
    assert.equal((await command<{ account: string }>('runpod.switchAccount', 'team')).account, 'team');
    await assert.rejects(Promise.resolve(command('runpod.switchAccount', 'nobody')), /team/);
    await command('runpod.signOut');
    assert.ok((await command<unknown[]>('runpod.refreshPods')).length > 0, 'the environment’s key is used again');
  });
});

import assert from 'node:assert/strict';
import { STARTER } from '../../src/editor/profile/starter';
import { limitsOf } from '../../src/pods/profile/limits';
import { readProfiles } from '../../src/pods/profile/read';

describe('the runpod.json to begin with', () => {
  it('is whole, and asks for no pod that runs for ever', () => {
    const { problems, profiles } = readProfiles(STARTER);
    assert.deepEqual(problems, []);
    assert.deepEqual(profiles.map(({ profile }) => limitsOf(profile)), [{ limitMinutes: 240, atLimit: 'stop' }]);
  });

  it('has lines that an editor shows whole', () => {
    assert.deepEqual(STARTER.split('\n').filter((line) => line.length > 80), []);
  });
});

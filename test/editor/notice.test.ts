import assert from 'node:assert/strict';
import type { ask } from '../../src/editor/prompts/ask';
import type { notice } from '../../src/editor/prompts/notice';
import { standInForEditor, world } from './standIn';

const LINK = '[Fix it](command:workbench.action.terminal.sendSequence)';
const ICON = '$(trash) x';

describe('what is said and asked', () => {
  standInForEditor();
  let modules: { readonly notice: typeof notice; readonly ask: typeof ask };
  before(async () => {
    modules = { ...(await import('../../src/editor/prompts/notice')), ...(await import('../../src/editor/prompts/ask')) };
  });

  it('shows links and icons of others as their letters, in notifications, questions and the status bar', async () => {
    const { notice } = modules;
    assert.equal(await notice.inform(`Hello ${LINK}`, 'Yes'), 'Yes');
    await notice.warn(LINK);
    await notice.fail(LINK);
    await notice.ask(LINK, LINK, 'Yes');
    notice.brief(ICON, 1, 'check');
    assert.deepEqual(world.shown.map(({ how }) => how), ['information', 'warning', 'error', 'warning']);
    for (const { message, detail } of world.shown) assert.doesNotMatch(`${message} ${detail}`, /\]\(/);
    assert.deepEqual(world.status, ['$(check) $\u200c(trash) x']);
  });

  it('takes nothing but the verb for a yes', async () => {
    const { notice } = modules;
    await notice.confirm('Sure?', '', 'Delete');
    world.answer = () => undefined;
    await assert.rejects(async () => notice.confirm('Sure?', '', 'Delete'), { name: 'CancelledError' });
    assert.ok(world.shown.every(({ modal }) => modal));
  });

  it('lists rows by their letters and gives back the row that was chosen', async () => {
    const { ask } = modules;
    const rows = [{ label: 'a' }, { label: ICON, description: ICON, detail: ICON, value: 7 }];
    world.pick = () => 1;
    assert.equal(await ask.oneOf(rows, {}), rows[1]);
    const { label, description, detail } = world.rows[1] ?? {};
    assert.deepEqual([label, description, detail], Array(3).fill('$\u200c(trash) x'));
    world.pick = () => undefined;
    assert.equal(await ask.oneOf(rows, {}), undefined);
  });
});

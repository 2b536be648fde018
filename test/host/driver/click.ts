import type { Locator } from 'playwright-core';
import { until } from './wait';

/** What an element hears when it is clicked; menus of the editor listen to the release of the button. */
export type Heard = 'click' | 'dblclick' | 'contextmenu' | 'mouseup';

/** How long an element may take to come to rest under the mouse before it is looked for anew. */
const restMs = 5000;

interface Listening {
  addEventListener(type: string, hear: () => void, options: { readonly capture: boolean }): void;
}

/**
 * Clicks once, and says whether the element itself has heard of it. One that is painted anew between the press and the
 * release of the button hears nothing, and the click is lost without a word; a person clicks again.
 * @param position from its upper left corner, in pixels; its middle when not said
 * @throws when there is no such element, or it does not come to rest
 */
export async function clicked(target: Locator, heard: Heard = 'click', position?: { readonly x: number; readonly y: number }): Promise<boolean> {
  const element = await target.elementHandle({ timeout: restMs });
  try {
    const ear = await element.evaluateHandle((node, type) => {
      const ear = { heard: false };
      (node as unknown as Listening).addEventListener(type, () => { ear.heard = true; }, { capture: true });
      return ear;
    }, heard);
    const how = { timeout: restMs, ...(position === undefined ? {} : { position }) };
    if (heard === 'dblclick') await element.dblclick(how);
    else await element.click({ ...how, button: heard === 'contextmenu' ? 'right' : 'left' });
    // A page that has gone was left by this very click.
    return await ear.evaluate(({ heard }) => heard).catch(() => true);
  } catch (error) {
    // Something may have come up over it that stays as long as the mouse rests there, such as a tooltip.
    await target.page().mouse.move(0, 0).catch(() => undefined);
    throw error;
  } finally {
    await element.dispose().catch(() => undefined);
  }
}

/** Clicks what `find` gives, as often as it takes until it has heard of it. */
export async function click(what: string, find: () => Promise<Locator | undefined> | Locator | undefined, heard?: Heard, ms?: number): Promise<void> {
  await until(what, async () => {
    const target = await find();
    return target !== undefined && (await clicked(target, heard));
  }, ms);
}

import { Uri } from 'vscode';
import { isCancelled } from '../../base/errors';
import { isFullyBooked } from '../../pods/create';
import type { LaunchOnSight } from '../createPod/profileOrders';
import type { Parts } from '../parts';
import type { ProfileDiagnostics } from '../profile/diagnostics';
import { chosenProfile, digestOf, madeOf, usable, within } from '../profile/made';
import type { Launches } from './launches';

/**
 * Makes the pod of a watch that comes from a profile. Its price and what it is were agreed to when the watch began, so that is
 * all that is made: a profile that says something else by now is asked about again.
 */
export const launchOnSight = (parts: Pick<Parts, 'api'>, launches: Launches, diagnostics: ProfileDiagnostics): LaunchOnSight => async ({ folder, key, digest }, cap) => {
  const chosen = await chosenProfile(Uri.parse(folder, true), key);
  if (digestOf(chosen.named) !== digest) return 'changed';
  const made = within(await madeOf(await parts.api.client(), chosen, diagnostics), cap);
  usable(made);
  if (made.plan.rows.length === 0) return 'gone';
  try {
    // What follows the pod's creation has its own place in the view; the watch is over then.
    await new Promise<void>((resolve, reject) => void launches.begin(made, { onSight: resolve }).then(() => resolve(), reject));
    return 'made';
  } catch (error) {
    // Cancelled by hand: it is not wanted any more.
    if (isCancelled(error)) return 'made';
    if (isFullyBooked(error)) return 'gone';
    throw error;
  }
};

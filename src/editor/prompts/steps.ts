import { QuickInputButtons, window, type Disposable, type QuickInput, type QuickPickItem } from 'vscode';
import { CancelledError } from '../../base/errors';
import { ask, plainPrompt, setRows } from './ask';

/** What a step gives back when the person wants the step before it again. */
export const BACK = Symbol('back');

export interface StepPlace {
  readonly title: string;
  /** From 1. */
  readonly step: number;
  readonly of: number;
}

/** A row of a step's list that carries a value. */
export interface Choice<T> extends QuickPickItem {
  readonly value?: T;
}

export interface PickStep<T> extends StepPlace {
  readonly placeholder: string;
  /** Shown at once; a promise keeps the list busy until it has come. */
  readonly items: readonly Choice<T>[] | Promise<readonly Choice<T>[]>;
  /** The row to begin on. */
  readonly active?: (value: T) => boolean;
}

/**
 * One list of a walk through several, with a back button from the second on.
 * @throws CancelledError when the person leaves; whatever `items` rejects with
 */
export function pickStep<T>(step: PickStep<T>): Promise<T | typeof BACK> {
  const pick = ask.list<Choice<T>>();
  pick.placeholder = step.placeholder;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  const show = (items: readonly Choice<T>[]): void => {
    pick.busy = false;
    const active = setRows(pick, items).find((i) => i.value !== undefined && step.active?.(i.value));
    if (active) pick.activeItems = [active];
  };
  return walk(pick, step, (accept, reject) => {
    pick.busy = true;
    Promise.resolve(step.items).then(show, reject);
    return pick.onDidAccept(() => {
      const chosen = pick.selectedItems[0]?.value;
      if (chosen !== undefined) accept(chosen);
    });
  });
}

export interface TextStep extends StepPlace {
  readonly prompt: string;
  readonly value: string;
  /** What is wrong with it, or undefined. */
  readonly validate: (text: string) => string | undefined;
}

/** One line of text in a walk. @throws CancelledError when the person leaves */
export function textStep(step: TextStep): Promise<string | typeof BACK> {
  const input = window.createInputBox();
  input.prompt = plainPrompt(step.prompt);
  input.value = step.value;
  return walk(input, step, (accept) => {
    const listeners = [
      input.onDidChangeValue((text) => (input.validationMessage = step.validate(text) ?? '')),
      input.onDidAccept(() => {
        const problem = step.validate(input.value);
        if (problem) input.validationMessage = problem;
        else accept(input.value.trim());
      }),
    ];
    return { dispose: () => listeners.forEach((l) => void l.dispose()) };
  });
}

/** Shows an input as one step of a walk and wires it; `accept` ends the step. @throws CancelledError when the person leaves */
export function walk<T>(input: QuickInput & { buttons: readonly unknown[]; onDidTriggerButton: unknown }, place: StepPlace, wire: (accept: (value: T) => void, reject: (error: unknown) => void) => Disposable): Promise<T | typeof BACK> {
  const box = input as QuickInput & { buttons: readonly (typeof QuickInputButtons.Back)[]; onDidTriggerButton: (listener: (button: unknown) => void) => Disposable };
  box.title = place.title;
  box.step = place.step;
  box.totalSteps = place.of;
  box.ignoreFocusOut = true;
  if (place.step > 1) box.buttons = [QuickInputButtons.Back];
  return new Promise<T | typeof BACK>((resolve, reject) => {
    const disposables: Disposable[] = [box];
    const settle = (end: () => void): void => {
      end();
      for (const d of disposables.splice(0)) d.dispose();
    };
    disposables.push(
      wire(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
      ),
      box.onDidTriggerButton((button) => {
        if (button === QuickInputButtons.Back) settle(() => resolve(BACK));
      }),
      box.onDidHide(() => settle(() => reject(new CancelledError()))),
    );
    box.show();
  });
}

/**
 * Walks through steps, each of which adds to what is known; back returns to the one before, with its answer kept.
 * @param steps each gets what is known so far and gives its addition
 */
export async function walkThrough<S extends object>(start: S, steps: readonly ((known: S) => Promise<Partial<S> | typeof BACK>)[]): Promise<S> {
  let known = start;
  for (let i = 0; i < steps.length; ) {
    const answer = await steps[i]?.(known);
    if (answer === BACK) i = Math.max(0, i - 1);
    else {
      known = { ...known, ...answer };
      i++;
    }
  }
  return known;
}

/** A heading between rows. */
export const heading = <T>(label: string): Choice<T> => ({ label, kind: -1 });

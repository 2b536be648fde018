import { l10n, QuickPickItemKind, StatusBarAlignment, ThemeColor, window, type Disposable, type Memento, type QuickPickItem, type StatusBarItem } from 'vscode';
import { iconless } from '../../base/log';
import { steadyNow } from '../../base/time';
import { isDue, keyOf, type Told } from '../../pods/guard/reminder';
import type { Finding } from '../../pods/guard/secondLook';
import { showError } from '../commands/command';
import type { CommandId } from '../ids';
import { rate, shortTime } from '../words';
import { Reminder, type Reminding } from './reminder';
import { askWords, findingMark, findingWords } from './words';
import type { Unsolved, Way } from './unsolved';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

const TOLD = 'runpod.secondLook.told';
const CALM_MS = 60_000;
/** Of a name, where a link is to follow in the same line. */
const REMINDER_LETTERS = 16;

/**
 * Pods that somebody has to decide on, said calmly and until it is done: a warning in the status bar that stays, and one
 * notification each. The window in front speaks; what was said is shared by all.
 */
export class SecondLook implements Disposable {
  readonly #item: StatusBarItem;
  readonly #subscriptions: Disposable[];
  #quietUntil = 0;
  /** Questions that are on the screen. */
  readonly #open = new Set<string>();
  /** What is said of all that RunPod does not confirm, and what it was begun for. */
  #reminder: { readonly shown: Reminder; readonly about: ReadonlySet<string> } | undefined;

  constructor(
    private readonly unsolved: Unsolved,
    private readonly memento: Memento,
    private readonly now: () => number,
  ) {
    // Right of the ticker.
    this.#item = window.createStatusBarItem('runpod.unsolved', StatusBarAlignment.Left, -11);
    this.#item.name = l10n.t('RunPod Pods to Decide On');
    this.#item.command = 'runpod.unsolved' satisfies CommandId;
    this.#item.backgroundColor = new ThemeColor('statusBarItem.warningBackground');
    this.#subscriptions = [this.#item, unsolved.onDidChange(() => this.#look()), window.onDidChangeWindowState((state) => state.focused && this.#look())];
  }

  dispose(): void {
    this.#reminder?.shown.dispose();
    for (const s of this.#subscriptions) s.dispose();
  }

  /** Asks about everything at once. */
  async choose(): Promise<readonly { readonly kind: Finding['kind']; readonly podId: string }[]> {
    const { findings } = this.unsolved;
    const found = findings.map(({ kind, pod }) => ({ kind, podId: pod.id }));
    if (found.length === 0) {
      void notice.inform(l10n.t('Nothing to decide: every stop is confirmed, and no pod is past its limit, stuck, or of a request whose answer was lost.'));
      return found;
    }
    const items = findings.flatMap((finding): (QuickPickItem & { readonly way?: Way })[] => [
      ...(findings.length > 1 ? [{ label: finding.pod.name, kind: QuickPickItemKind.Separator }] : []),
      ...this.unsolved.ways(finding).map((way) => ({ label: way.title, description: `${finding.pod.name} · ${rate(finding.pod.costPerHour)} · ${findingMark(finding, this.now())}`, way })),
    ]);
    const [only] = findings;
    const placeHolder = only && findings.length === 1 ? findingWords(only, this.now()) : l10n.t('These pods cost money and perhaps should not');
    const picked = await ask.oneOf(items, { title: l10n.t('Pods to Decide On'), placeHolder, matchOnDescription: true });
    await picked?.way?.go();
    return found;
  }

  #look(): void {
    const { findings } = this.unsolved;
    const now = this.now();
    this.#paint(findings);
    const told = this.memento.get<Record<string, Told>>(TOLD, {});
    const late = findings.filter((f) => f.kind === 'unconfirmed');
    const due = findings.filter((f) => isDue(f, told[keyOf(f)], now));
    this.#remindOf(late, due.some((f) => f.kind === 'unconfirmed'));
    if (!window.state.focused) return;
    // That what somebody has asked for does not happen is an answer, which no calm delays.
    const quiet = steadyNow() < this.#quietUntil;
    const next = due.find((f) => !this.#open.has(keyOf(f)) && (!quiet || (f.kind === 'unconfirmed' && !told[keyOf(f)])));
    if (!next) return;
    this.#quietUntil = steadyNow() + CALM_MS;
    const saying: readonly Finding[] = next.kind === 'unconfirmed' ? late : [next];
    const noted = findings.map((f): [string, Told | undefined] => [keyOf(f), saying.includes(f) ? { at: now, times: (told[keyOf(f)]?.times ?? 0) + 1 } : told[keyOf(f)]]);
    void this.memento.update(TOLD, Object.fromEntries(noted.filter(([, at]) => at !== undefined)));
    if (next.kind === 'unconfirmed') this.#reminder = { shown: new Reminder(this.#reminderWords(late)), about: new Set(late.map(keyOf)) };
    else void this.#tell(next).catch(showError);
  }

  /** The reminder goes with what it was begun for, and when it is time again: then the window in front begins it anew. */
  #remindOf(late: readonly Finding[], again: boolean): void {
    const reminder = this.#reminder;
    if (!reminder) return;
    const still = late.filter((f) => reminder.about.has(keyOf(f)));
    if (still.length > 0 && !again) return reminder.shown.say(this.#reminderWords(still));
    reminder.shown.dispose();
    this.#reminder = undefined;
  }

  /** One line, for that is what the editor shows of it unasked, with the one thing to do as a link at its end. */
  #reminderWords([first, ...others]: readonly Finding[]): Reminding {
    if (first?.kind !== 'unconfirmed') return { words: '', title: '', link: '' };
    if (others.length > 0) return { words: l10n.t('RunPod has not confirmed the end of {0} pods.', others.length + 1), title: l10n.t('Show All'), link: `command:${'runpod.unsolved' satisfies CommandId}` };
    const [way] = this.unsolved.ways(first);
    const words = l10n.t('{0} ({1}): {2} for {3}.', short(first.pod.name, REMINDER_LETTERS), rate(first.pod.costPerHour), askWords(first.end), shortTime(this.now() - first.since));
    return { words, title: way?.title ?? '', link: way?.link ?? '' };
  }

  #paint(findings: readonly Finding[]): void {
    const [first] = findings;
    if (!first) return this.#item.hide();
    const alone = findings.length === 1;
    const asks = first.kind === 'unconfirmed' ? `: ${askWords(first.end)}` : '';
    this.#item.text = alone ? `$(warning) ${iconless(short(first.pod.name))}${asks}` : `$(warning) ${l10n.t('{0} pods', findings.length)}`;
    this.#item.tooltip = findings.map((f) => findingWords(f, this.now())).join('\n\n');
    this.#item.accessibilityInformation = { label: alone ? findingWords(first, this.now()) : l10n.t('RunPod: pods to decide on: {0}', findings.map((f) => `${f.pod.name}, ${findingMark(f, this.now())}`).join('; ')) };
    this.#item.show();
  }

  async #tell(finding: Finding): Promise<void> {
    const key = keyOf(finding);
    const ways = this.unsolved.ways(finding);
    const words = findingWords(finding, this.now());
    const buttons = ways.map((way) => way.title);
    this.#open.add(key);
    const answer = await (finding.kind === 'orphan' ? notice.warn(words, ...buttons) : notice.fail(words, ...buttons));
    this.#open.delete(key);
    await ways.find((way) => way.title === answer)?.go();
  }
}

const short = (name: string, letters = 24): string => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name);

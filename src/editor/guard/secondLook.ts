import { l10n, QuickPickItemKind, StatusBarAlignment, ThemeColor, window, type Disposable, type Memento, type QuickPickItem, type StatusBarItem } from 'vscode';
import { steadyNow } from '../../base/time';
import type { Finding } from '../../pods/guard/secondLook';
import { showError } from '../commands/command';
import type { CommandId } from '../ids';
import { rate } from '../words';
import { findingMark, findingWords } from './words';
import type { Unsolved, Way } from './unsolved';

const TOLD = 'runpod.secondLook.told';
/** The status bar and the row say it all the time; whoever closed the notification is asked again after so long. */
const AGAIN_MS = 60 * 60_000;
const CALM_MS = 60_000;

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
    for (const s of this.#subscriptions) s.dispose();
  }

  /** Asks about everything at once. */
  async choose(): Promise<readonly { readonly kind: Finding['kind']; readonly podId: string }[]> {
    const { findings } = this.unsolved;
    const found = findings.map(({ kind, pod }) => ({ kind, podId: pod.id }));
    if (found.length === 0) {
      void window.showInformationMessage(l10n.t('Nothing to decide: no pod is past its limit, stuck, or of a request whose answer was lost.'));
      return found;
    }
    const items = findings.flatMap((finding): (QuickPickItem & { readonly way?: Way })[] => [
      ...(findings.length > 1 ? [{ label: finding.pod.name, kind: QuickPickItemKind.Separator }] : []),
      ...this.unsolved.ways(finding).map((way) => ({ label: way.title, description: `${finding.pod.name} · ${rate(finding.pod.costPerHour)} · ${findingMark(finding.kind)}`, way })),
    ]);
    const [only] = findings;
    const placeHolder = only && findings.length === 1 ? findingWords(only, this.now()) : l10n.t('These pods cost money and perhaps should not');
    const picked = await window.showQuickPick(items, { title: l10n.t('Pods to Decide On'), placeHolder, matchOnDescription: true });
    await picked?.way?.go();
    return found;
  }

  #look(): void {
    const { findings } = this.unsolved;
    this.#paint(findings);
    if (!window.state.focused || steadyNow() < this.#quietUntil) return;
    const told = this.memento.get<Record<string, number>>(TOLD, {});
    const due = findings.find((f) => !this.#open.has(keyOf(f)) && Math.abs(Date.now() - (told[keyOf(f)] ?? 0)) >= AGAIN_MS);
    if (!due) return;
    this.#quietUntil = steadyNow() + CALM_MS;
    const still = Object.fromEntries(findings.map((f) => [keyOf(f), told[keyOf(f)] ?? 0]));
    void this.memento.update(TOLD, { ...still, [keyOf(due)]: Date.now() });
    void this.#tell(due).catch(showError);
  }

  #paint(findings: readonly Finding[]): void {
    const [first] = findings;
    if (!first) return this.#item.hide();
    const alone = findings.length === 1;
    this.#item.text = alone ? `$(warning) ${plain(first.pod.name)}` : `$(warning) ${l10n.t('{0} pods', findings.length)}`;
    this.#item.tooltip = findings.map((f) => findingWords(f, this.now())).join('\n\n');
    this.#item.accessibilityInformation = { label: alone ? findingWords(first, this.now()) : l10n.t('RunPod: pods to decide on: {0}', findings.map((f) => `${f.pod.name}, ${findingMark(f.kind)}`).join('; ')) };
    this.#item.show();
  }

  async #tell(finding: Finding): Promise<void> {
    const key = keyOf(finding);
    const ways = this.unsolved.ways(finding);
    const words = findingWords(finding, this.now());
    const buttons = ways.map((way) => way.title);
    this.#open.add(key);
    const answer = await (finding.kind === 'orphan' ? window.showWarningMessage(words, ...buttons) : window.showErrorMessage(words, ...buttons));
    this.#open.delete(key);
    await ways.find((way) => way.title === answer)?.go();
  }
}

/** Short, and without icons: a name comes from outside. */
const plain = (name: string): string => (name.length > 24 ? `${name.slice(0, 23)}…` : name).replaceAll('$(', '$ (');

const keyOf = ({ kind, pod }: Finding): string => `${kind}:${pod.id}`;

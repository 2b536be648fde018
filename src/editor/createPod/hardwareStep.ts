import { l10n, QuickInputButtons, ThemeIcon, type QuickInputButton } from 'vscode';
import { cpuCandidate, keyOf, type Candidate, type Catalog } from '../../pods/candidates';
import { ceilingIn, countIn, hardwareRows, matchesQuery, offerOf, placesOf, suggestedRow, type HardwareRow } from '../../pods/hardwareSearch';
import { heading, walk, type BACK, type Choice, type StepPlace } from '../prompts/steps';
import { placesText } from '../prompts/stock';
import { gigabytes, rate } from '../words';
import { ask, setRows } from '../prompts/ask';

/** What a person picked: a computer to rent, or one to wait for. */
export interface HardwareAnswer {
  readonly kind: 'take' | 'watch';
  readonly candidate: Candidate;
}

export interface HardwareStep extends StepPlace {
  /** The catalog with the stock for pods of so many GPUs. */
  readonly catalog: (count: number) => Promise<Catalog>;
  /** Keys of earlier choices, the latest first. */
  readonly recent: readonly string[];
  readonly count: number;
  /** Only there, for a network volume lies there. */
  readonly dataCenterIds?: readonly string[];
}

type Row = Choice<HardwareAnswer> & { readonly hardware?: HardwareRow };

const COUNTS = [1, 2, 4, 8] as const;
const CPU_SIZES = [2, 4, 8, 16] as const;

/**
 * The list of what can be rented: a GPU type a row with its price in either cloud and where it is free, then CPU pods, then
 * what is out of stock. Typing filters by memory, name, place and price; `2x` asks for two.
 * @throws CancelledError when the person leaves
 */
export function hardwareStep(step: HardwareStep): Promise<HardwareAnswer | typeof BACK> {
  const pick = ask.list<Row>();
  let count = step.count;
  let catalog: Catalog | undefined;
  let asked = 0;

  const show = (): void => {
    const words = l10n.t('Type 48, h100, <1, us-ks or 2x 4090');
    pick.placeholder = `${count === 1 ? l10n.t('1 GPU') : l10n.t('{0} GPUs', count)} · ${words}`;
    const next = COUNTS[(COUNTS.indexOf(count as 1) + 1) % COUNTS.length] ?? 1;
    pick.buttons = [...(step.step > 1 ? [QuickInputButtons.Back] : []), { iconPath: new ThemeIcon('layers'), tooltip: next === 1 ? l10n.t('Show Pods with 1 GPU') : l10n.t('Show Pods with {0} GPUs', next) }];
    if (catalog) setRows(pick, rowsOf(catalog, count, pick.value, step));
  };
  const read = (reject: (error: unknown) => void): void => {
    const turn = ++asked;
    pick.busy = true;
    step.catalog(count).then(
      (answer) => {
        if (turn !== asked) return;
        catalog = answer;
        pick.busy = false;
        show();
      },
      (error: unknown) => (turn === asked ? reject(error) : undefined),
    );
  };

  return walk(pick, step, (accept, reject) => {
    const ask = (wanted: number): void => {
      if (wanted === count) return;
      count = wanted;
      show();
      read(reject);
    };
    const listeners = [
      pick.onDidChangeValue((text) => {
        ask(countIn(text).count ?? count);
        show();
      }),
      pick.onDidTriggerButton((button) => {
        if (button !== QuickInputButtons.Back) ask(COUNTS[(COUNTS.indexOf(count as 1) + 1) % COUNTS.length] ?? 1);
      }),
      pick.onDidTriggerItemButton(({ item, button }) => {
        const answer = item.hardware && answerOf(item.hardware, button);
        if (answer) accept(answer);
      }),
      pick.onDidAccept(() => {
        const chosen = pick.selectedItems[0]?.value;
        if (chosen) accept(chosen);
      }),
    ];
    show();
    read(reject);
    return { dispose: () => listeners.forEach((l) => void l.dispose()) };
  });
}

function rowsOf(catalog: Catalog, count: number, query: string, step: HardwareStep): Row[] {
  const all = hardwareRows(catalog, count, step.dataCenterIds);
  const fitting = all.filter((r) => matchesQuery(r, query));
  const ceiling = ceilingIn(query);
  const offer = (row: HardwareRow): Candidate | undefined => offerOf(row, ceiling);
  const free = fitting.filter((r) => r.stock !== 'NONE').sort((a, b) => (offer(a)?.perHour ?? Infinity) - (offer(b)?.perHour ?? Infinity));
  const out = fitting.filter((r) => r.stock === 'NONE');
  const cpus = cpuRows(catalog, query, step.dataCenterIds);
  const searching = query.trim() !== '';
  const recent = searching ? [] : step.recent.flatMap((key) => recentRow(key, free, cpus)).slice(0, 2);
  const suggested = searching || recent.length > 0 ? undefined : suggestedRow(free);
  return [
    ...section(l10n.t('Used Last'), recent),
    ...section(l10n.t('Good for Most Work'), suggested ? [gpuRow(suggested)] : []),
    ...section(count === 1 ? l10n.t('GPU') : l10n.t('{0} GPUs', count), free.filter((r) => r !== suggested).map((r) => gpuRow(r, offer(r)))),
    ...section(l10n.t('CPU Only'), cpus),
    ...section(l10n.t('None Free Right Now'), out.map((r) => gpuRow(r, offer(r)))),
  ];
}

const section = (title: string, rows: readonly Row[]): Row[] => (rows.length === 0 ? [] : [heading<HardwareAnswer>(title), ...rows]);

/** A choice made before, if it can be had again: the same GPU in the same cloud. */
function recentRow(key: string, free: readonly HardwareRow[], cpus: readonly Row[]): Row[] {
  for (const row of free)
    for (const candidate of [row.secure, row.community])
      if (candidate && candidate.stock !== 'NONE' && keyOf(candidate) === key) return [gpuRow(row, candidate)];
  return cpus.filter((r) => keyOf(r.value?.candidate) === key);
}

/** `RTX 4090   24 GB` · `$0.69/hr  ($0.34 community)` · `plenty in US-KS-2, EU-RO-1 · few in US-IL-1`. */
function gpuRow(row: HardwareRow, chosen = offerOf(row)): Row {
  const memory = row.memoryGb === undefined ? '' : `   ${row.count > 1 ? `${row.count}×` : ''}${gigabytes(row.memoryGb)}`;
  const name = row.count > 1 ? `${row.count}× ${row.name}` : row.name;
  const out = row.stock === 'NONE';
  return {
    label: name + memory,
    description: priceText(row, chosen),
    detail: out ? l10n.t('none free right now · choose it to watch for it') : placesText(row.stock, placesOf(row)),
    alwaysShow: true,
    hardware: row,
    buttons: buttonsOf(row, chosen),
    ...(chosen ? { value: { kind: out ? 'watch' : 'take', candidate: chosen } } : {}),
  };
}

function priceText(row: HardwareRow, chosen: Candidate | undefined): string {
  const { secure, community } = row;
  const main = chosen === community && community ? `${rate(community.perHour)} ${l10n.t('Community Cloud')}` : rate(secure?.perHour);
  const other = chosen === secure ? community : secure;
  if (!other || other === chosen) return main;
  const amount = rate(other.perHour).replace('/hr', '');
  const none = other.stock === 'NONE' && row.stock !== 'NONE';
  if (other === community) return `${main}  (${none ? l10n.t('{0} community, none free', amount) : l10n.t('{0} community', amount)})`;
  return `${main}  (${none ? l10n.t('{0} secure, none free', amount) : l10n.t('{0} secure', amount)})`;
}

const WATCH = (row: HardwareRow): QuickInputButton => ({ iconPath: new ThemeIcon('bell'), tooltip: l10n.t('Watch for {0}', row.name) });

function buttonsOf(row: HardwareRow, chosen: Candidate | undefined): QuickInputButton[] {
  if (row.stock === 'NONE') return [WATCH(row)];
  const other = chosen?.cloud === 'SECURE' ? row.community : row.secure;
  if (!other || other.stock === 'NONE') return [];
  return [
    other.cloud === 'COMMUNITY'
      ? { iconPath: new ThemeIcon('organization'), tooltip: l10n.t('In Community Cloud for {0}', rate(other.perHour)) }
      : { iconPath: new ThemeIcon('shield'), tooltip: l10n.t('In Secure Cloud for {0}', rate(other.perHour)) },
  ];
}

function answerOf(row: HardwareRow, button: QuickInputButton): HardwareAnswer | undefined {
  const icon = (button.iconPath as ThemeIcon).id;
  const candidate = icon === 'organization' ? row.community : icon === 'shield' ? row.secure : offerOf(row);
  return candidate && { kind: icon === 'bell' ? 'watch' : 'take', candidate };
}

function cpuRows(catalog: Catalog, query: string, dataCenterIds?: readonly string[]): Row[] {
  const words = countIn(query).rest.toLowerCase().split(/\s+/).filter(Boolean);
  return catalog.cpus.flatMap((type) =>
    CPU_SIZES.filter((n) => n >= (type.vcpu.min ?? 2) && n <= (type.vcpu.max ?? 32)).flatMap((vcpuCount): Row[] => {
      const candidate = cpuCandidate({ id: type.id, vcpuCount }, catalog, dataCenterIds);
      if (!candidate || candidate.stock === 'NONE') return [];
      const label = `${type.id}   ${l10n.t('{0} vCPU', vcpuCount)}${candidate.memoryGb === undefined ? '' : `, ${gigabytes(candidate.memoryGb)}`}`;
      const under = (word: string): boolean => /^[<≤]\$?[\d.]*$/.test(word) && (candidate.perHour ?? Infinity) < (Number(word.replace(/[^\d.]/g, '')) || Infinity);
      const text = `${label} ${type.name} cpu`.toLowerCase();
      if (!words.every((w) => under(w) || text.includes(w))) return [];
      return [{ label, description: rate(candidate.perHour), detail: `${type.name} · ${placesText(candidate.stock, candidate.dataCenters)}`, alwaysShow: true, value: { kind: 'take', candidate } }];
    }),
  );
}

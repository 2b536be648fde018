import Module from 'node:module';

interface Loader {
  _load: (this: unknown, request: string, ...rest: unknown[]) => unknown;
}

/** A message as it was shown: its buttons come last. */
export interface Shown {
  readonly how: 'information' | 'warning' | 'error';
  readonly message: string;
  readonly modal: boolean;
  readonly detail: string | undefined;
  readonly offered: readonly string[];
}

/** What the editor that is stood in for holds, and what was shown in it. New for every test. */
export const world = {
  settings: new Map<string, unknown>(),
  local: new Map<string, unknown>(),
  remoteName: undefined as string | undefined,
  runsBesideTheWindow: true,
  shown: [] as Shown[],
  rows: [] as readonly Readonly<Record<string, unknown>>[],
  status: [] as string[],
  answer: (offered: readonly string[]): string | undefined => offered[0],
  pick: (): number | undefined => 0,
};

const UI = 1;
const message =
  (how: Shown['how']) =>
  async (text: string, ...rest: readonly (string | { readonly modal?: boolean; readonly detail?: string })[]): Promise<string | undefined> => {
    const offered = rest.filter((one) => typeof one === 'string');
    const options = rest.find((one) => typeof one !== 'string');
    world.shown.push({ how, message: text, modal: options?.modal === true, detail: options?.detail, offered });
    return world.answer(offered);
  };

const editor = {
  ExtensionKind: { UI, Workspace: 2 },
  ThemeIcon: class {
    constructor(readonly id: string) {}
  },
  env: {
    get remoteName() {
      return world.remoteName;
    },
  },
  extensions: { getExtension: () => ({ extensionKind: world.runsBesideTheWindow ? UI : 2 }) },
  l10n: { t: (text: string, ...values: unknown[]) => text.replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)])) },
  window: {
    showInformationMessage: message('information'),
    showWarningMessage: message('warning'),
    showErrorMessage: message('error'),
    setStatusBarMessage: (text: string) => void world.status.push(text),
    showQuickPick: async (rows: readonly Readonly<Record<string, unknown>>[]) => {
      world.rows = rows;
      const chosen = world.pick();
      return chosen === undefined ? undefined : rows[chosen];
    },
  },
  workspace: {
    getConfiguration: (section: string) => ({
      get: (key: string) => world.settings.get(`${section}.${key}`),
      inspect: (key: string) => ({ globalValue: world.settings.get(`${section}.${key}`), globalLocalValue: world.local.get(`${section}.${key}`) }),
    }),
  },
};

/**
 * Lets modules of `src/editor` be loaded outside the editor, over the little of its API that they need. Load them with
 * `await import()` in a `before` of the same suite.
 */
export function standInForEditor(): void {
  const loader = Module as unknown as Loader;
  let load: Loader['_load'];
  before(() => {
    load = loader._load;
    loader._load = (request, ...rest) => (request === 'vscode' ? editor : load.call(Module, request, ...rest));
  });
  after(() => {
    loader._load = load;
  });
  beforeEach(() => {
    Object.assign(world, { settings: new Map(), local: new Map(), remoteName: undefined, runsBesideTheWindow: true, shown: [], rows: [], status: [], answer: (offered: readonly string[]) => offered[0], pick: () => 0 });
  });
}

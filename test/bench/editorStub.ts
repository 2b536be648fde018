import Module from 'node:module';

/** A stand-in for the parts of the editor that rows and the status bar are made of; it paints nothing. */
class EventEmitter<T> {
  readonly #listeners = new Set<(value: T) => void>();
  readonly event = (listener: (value: T) => void): { dispose: () => void } => {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  };
  fire(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}
class TreeItem {
  constructor(
    readonly label: string,
    readonly collapsibleState = 0,
  ) {}
}
class ThemeColor {
  constructor(readonly id: string) {}
}
class ThemeIcon {
  constructor(
    readonly id: string,
    readonly color?: ThemeColor,
  ) {}
}
class MarkdownString {
  constructor(public value = '') {}
  appendMarkdown(text: string): this {
    this.value += text;
    return this;
  }
  appendText(text: string): this {
    this.value += text.replace(/[\\`*_{}[\]()#+\-!~]/g, '\\$&');
    return this;
  }
}

const never = (): { dispose: () => void } => ({ dispose: () => undefined });
const editor = {
  EventEmitter,
  TreeItem,
  ThemeColor,
  ThemeIcon,
  MarkdownString,
  TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
  StatusBarAlignment: { Left: 1, Right: 2 },
  Uri: { from: (parts: object) => ({ ...parts, toString: () => JSON.stringify(parts) }) },
  l10n: { t: (text: string, ...values: unknown[]) => text.replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)])) },
  env: { sessionId: 'bench', language: 'en' },
  commands: { registerCommand: never, executeCommand: async () => undefined },
  workspace: { getConfiguration: () => ({ get: (_key: string, otherwise: unknown) => otherwise, inspect: () => undefined }), onDidChangeConfiguration: never },
  window: {
    createTreeView: () => ({ visible: true, onDidChangeVisibility: never, dispose: () => undefined }),
    registerFileDecorationProvider: never,
    createStatusBarItem: () => ({ show: () => undefined, hide: () => undefined, dispose: () => undefined }),
  },
};

interface Loader {
  _load(request: string, ...rest: unknown[]): unknown;
}

/** From now on this process's `require('vscode')` gives the stand-in. */
export function standInForEditor(): void {
  const loader = Module as unknown as Loader;
  const load = loader._load.bind(Module);
  loader._load = (request, ...rest) => (request === 'vscode' ? editor : load(request, ...rest));
}

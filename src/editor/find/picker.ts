import { l10n, Position, Range, ThemeIcon, type QuickPickItem, type Uri } from 'vscode';
import { isCancelled } from '../../base/errors';
import { showError } from '../commands/command';
import { uriIn } from '../search/scope';
import type { FolderIndex } from './indexes';
import { ask, setRows } from '../prompts/ask';

interface PathItem extends QuickPickItem {
  readonly path: string;
}

export interface Chosen {
  readonly uri: Uri;
  readonly selection: Range | undefined;
}

const shown = 100;
/** While the tree is being listed, what has come shows this often, in milliseconds. */
const drawMs = 250;

/** Asks for a file by a few letters of its path; `name:12` and `name:12:3` mean a place in it. */
export function pickFile(index: FolderIndex, favoured: ReadonlySet<string>): Promise<Chosen | undefined> {
  const pick = ask.list<PathItem>();
  const { scope } = index;
  pick.title = l10n.t('Go to File on Pod · {0}', scope.label);
  pick.placeholder = l10n.t('Some letters of a name or path; add :12 for a line');
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const { query } = parse(pick.value);
    const items = index.index.find(query, shown, favoured).map(toItem);
    if (index.limited) items.push({ label: l10n.t('The folder has more files than are listed here'), path: '', alwaysShow: true });
    setRows(pick, items);
    pick.busy = index.loading;
    pick.title = index.loading
      ? l10n.t('Go to File on Pod · {0} · files so far: {1}', scope.label, index.index.size.toLocaleString())
      : l10n.t('Go to File on Pod · {0} · files: {1}', scope.label, index.index.size.toLocaleString());
  };
  return new Promise((resolve) => {
    pick.onDidChangeValue(draw);
    pick.onDidAccept(() => {
      const path = pick.selectedItems[0]?.path;
      if (path === undefined || path === '') return;
      resolve({ uri: uriIn(scope, path), selection: parse(pick.value).selection });
      pick.hide();
    });
    pick.onDidHide(() => {
      clearTimeout(timer);
      resolve(undefined);
      pick.dispose();
    });
    pick.busy = true;
    pick.show();
    draw();
    const before = index.index;
    index
      .refresh(() => (timer ??= setTimeout(draw, drawMs)))
      .then(
        // What the person looks at is not redrawn for nothing.
        () => (index.index !== before || pick.busy) && draw(),
        (error: unknown) => {
          pick.busy = false;
          if (!isCancelled(error)) void showError(error);
        },
      );
  });
}

/** Shown whatever the editor's own filter thinks of it: ours has chosen. */
function toItem(path: string): PathItem {
  const at = path.lastIndexOf('/');
  return { label: path.slice(at + 1), description: path.slice(0, Math.max(0, at)), path, alwaysShow: true, iconPath: new ThemeIcon('file') };
}

function parse(value: string): { query: string; selection: Range | undefined } {
  const match = /^(.*?):(\d+)?(?::(\d+)?)?$/.exec(value);
  if (match === null) return { query: value, selection: undefined };
  const [, query = '', line, column] = match;
  if (line === undefined) return { query, selection: undefined };
  const at = new Position(Math.max(0, Number(line) - 1), Math.max(0, Number(column ?? 1) - 1));
  return { query, selection: new Range(at, at) };
}

import { quote } from '../base/shell';
import type { PlannedFile } from './plan';
import { fitsHeader } from './tar';

/** Files under the names they have in the staging folder, and the shell lines that put them in place. */
export interface Placement {
  readonly files: readonly { readonly file: PlannedFile; readonly name: string }[];
  /** What travels behind them, the script last. */
  readonly lists: readonly { readonly name: string; readonly bytes: Buffer }[];
}

/** The list of renames travels as the archive's last file. */
export const placementName = 'placement';
/** How it ends when a file to be replaced has changed since it was listed. */
export const CHANGED_THERE = 67;

/** Names a command, well under what one argument list may hold. */
const AT_ONCE = 400;
/** A tar name has 100 bytes; what a group's folder takes of it stays free. */
const LONGEST_NAME = 80;

/** What is to be done on the pod besides the files that are sent. */
export interface Alongside {
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly folders: readonly string[];
  readonly modes: readonly { readonly path: string; readonly mode: number }[];
  /** Files of the pod that make room, and the name that each keeps its content under. */
  readonly aside: readonly { readonly path: string; readonly to: string }[];
  /** What goes to the recycle folder. */
  readonly remove: readonly string[];
  /** Absolute; on the same file system. */
  readonly recycle: string | undefined;
}

/** Where the files go. */
export interface Place {
  /** Absolute path of the folder on the pod. */
  readonly target: string;
  /** It is not there yet. */
  readonly isNew: boolean;
}

/**
 * Gives every file a short name in the staging folder, so that any tar can carry it, grouped by the folder it goes to, so
 * that one `mv` places hundreds; what goes to a folder that is not there yet is put together there and placed by a single
 * rename. The shell lines run with the staging folder in `$s`.
 */
export function placement({ target, isNew }: Place, files: readonly PlannedFile[], { links, folders: wanted, modes, aside, remove, recycle }: Alongside): Placement {
  const groups = new Map<string, PlannedFile[]>();
  const alone: PlannedFile[] = [];
  const named: { file: PlannedFile; name: string }[] = [];
  for (const file of files) {
    const [folder, name] = split(file.path);
    if (isNew && fitsHeader(`${WHOLE}/${file.path}`)) named.push({ file, name: `${WHOLE}/${file.path}` });
    else if (Buffer.byteLength(name) > LONGEST_NAME) alone.push(file);
    else {
      const group = groups.get(folder) ?? [];
      groups.set(folder, group);
      group.push(file);
    }
  }

  const folders = [...new Set([...[...files, ...links].map(({ path }) => split(path)[0]), ...wanted].filter((folder) => folder !== ''))];
  const lines = [
    `t=${quote(target)}`,
    ...(isNew ? [...wholly(target), 'cd "$t"'] : ['mkdir -p "$t"; cd "$t"', ...(files.length === 0 ? [] : [`[ "$(xargs -0 ${STAT} <"$s/names" 2>/dev/null || :)" = "$(cat "$s/were")" ] || exit ${CHANGED_THERE}`])]),
    'echo arrived',
    ...recycled(remove, recycle),
    ...chunks(folders).map((some) => `mkdir -p ${some.map((folder) => quote(`./${folder}`)).join(' ')}`),
  ];
  // Never over what is there already under that name.
  for (const { path, to } of aside) {
    const names = `${quote(`./${path}`)} ${quote(`./${to}`)}`;
    // By a second name, where the file system lets a file have two: so it is never without its own.
    lines.push(`[ ! -e ${quote(`./${to}`)} ]`, `ln ${names} 2>/dev/null || mv ${names}`);
  }
  let group = 0;
  for (const [folder, all] of groups)
    for (const some of chunks(all)) {
      const place = `g${group++}`;
      for (const file of some) named.push({ file, name: `${place}/${split(file.path)[1]}` });
      // The target's name may begin with anything but a dash, for `$t` is absolute.
      lines.push(`cd "$s/${place}"`, `mv -f ${some.map((file) => quote(`./${split(file.path)[1]}`)).join(' ')} "$t"/${quote(folder === '' ? '.' : folder)}/`);
    }
  lines.push('cd "$t"');
  for (const [i, file] of alone.entries()) {
    named.push({ file, name: `l${i}` });
    lines.push(`mv -f "$s/l${i}" ${quote(`./${file.path}`)}`);
  }
  // Only where nothing is; a link that appeared meanwhile stays.
  for (const { path, target } of links) lines.push(`[ -e ${quote(`./${path}`)} ] || [ -L ${quote(`./${path}`)} ] || ln -s ${link(target)} ${quote(`./${path}`)}`);
  for (const [mode, all] of byMode(modes)) for (const some of chunks(all)) lines.push(`chmod ${mode.toString(8)} ${some.map((path) => quote(`./${path}`)).join(' ')}`);
  const list = (name: string, text: string): Placement['lists'][number] => ({ name, bytes: Buffer.from(text) });
  return {
    files: named,
    lists: [
      list('names', files.map(({ path }) => `./${path}\0`).join('')),
      list('were', files.flatMap(({ remote }) => (remote === undefined ? [] : [`${remote.size} ${remote.mtime}\n`])).join('')),
      list(placementName, `${lines.join('\n')}\n`),
    ],
  };
}

/** What tells a file that was changed from one that was not; one that is not there has no line. */
const STAT = "stat -c '%s %Y'";

/** Moves files out of the way, each under its own path in the recycle folder; folders that this leaves empty go. */
function recycled(remove: readonly string[], recycle: string | undefined): string[] {
  if (recycle === undefined || remove.length === 0) return [];
  const groups = new Map<string, string[]>();
  for (const path of remove) groups.set(split(path)[0], [...(groups.get(split(path)[0]) ?? []), path]);
  const lines = [`r=${quote(recycle)}; mkdir -p "$r"`];
  for (const [folder, all] of groups) {
    const place = `"$r"/${quote(folder === '' ? '.' : folder)}`;
    lines.push(`mkdir -p ${place}`, ...chunks(all).map((some) => `mv ${some.map((path) => quote(`./${path}`)).join(' ')} ${place}/`));
  }
  const deepestFirst = [...groups.keys()].filter((folder) => folder !== '').sort((a, b) => b.split('/').length - a.split('/').length);
  for (const some of chunks(deepestFirst)) lines.push(`rmdir ${some.map((folder) => quote(`./${folder}`)).join(' ')} 2>/dev/null || :`);
  return lines;
}

/** The folder that a new target's files are put together in. */
const WHOLE = 'w';

/**
 * Gives the folder that was put together its name. It is called so before it is moved: `mv` would put it into a folder that
 * has come to be there meanwhile, and refuses to put it over one.
 */
function wholly(target: string): string[] {
  const cut = target.lastIndexOf('/');
  const parent = quote(cut <= 0 ? '/' : target.slice(0, cut));
  const name = quote(`./${target.slice(cut + 1)}`);
  return [`mkdir -p "$s/${WHOLE}" "$s/to" ${parent}`, 'cd "$s/to"', `mv "$s/${WHOLE}" ${name}`, `mv ${name} ${parent}/`];
}

const byMode = (modes: Alongside['modes']): Map<number, string[]> => {
  const groups = new Map<number, string[]>();
  for (const { path, mode } of modes) groups.set(mode, [...(groups.get(mode) ?? []), path]);
  return groups;
};

/** `ln` reads a target that begins with a dash as an option; `./` in front points to the same. */
const link = (target: string): string => quote(target.startsWith('-') ? `./${target}` : target);

const split = (path: string): [folder: string, name: string] => {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? ['', path] : [path.slice(0, cut), path.slice(cut + 1)];
};

function chunks<T>(items: readonly T[]): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < items.length; i += AT_ONCE) out.push(items.slice(i, i + AT_ONCE));
  return out;
}

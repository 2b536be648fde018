import { quote } from '../base/shell';
import type { PlannedFile } from './plan';

/** Files under the names they have in the staging folder, and the shell lines that put them in place. */
export interface Placement {
  readonly files: readonly { readonly file: PlannedFile; readonly name: string }[];
  readonly script: string;
}

/** The list of renames travels as the archive's last file. */
export const placementName = 'placement';

/** Names a command, well under what one argument list may hold. */
const AT_ONCE = 400;
/** A tar name has 100 bytes; what a group's folder takes of it stays free. */
const LONGEST_NAME = 80;

/**
 * Gives every file a short name in the staging folder, so that any tar can carry it, grouped by the folder it goes to, so
 * that one `mv` places hundreds. The shell lines run in the target folder with the staging folder in `$s`.
 */
export function placement(files: readonly PlannedFile[], links: readonly { readonly path: string; readonly target: string }[]): Placement {
  const groups = new Map<string, PlannedFile[]>();
  const alone: PlannedFile[] = [];
  for (const file of files) {
    const [folder, name] = split(file.path);
    if (Buffer.byteLength(name) > LONGEST_NAME) alone.push(file);
    else {
      const group = groups.get(folder) ?? [];
      groups.set(folder, group);
      group.push(file);
    }
  }

  const folders = [...new Set([...files, ...links].map(({ path }) => split(path)[0]).filter((folder) => folder !== ''))];
  const lines = [...chunks(folders).map((some) => `mkdir -p ${some.map((folder) => quote(`./${folder}`)).join(' ')}`)];
  const named: { file: PlannedFile; name: string }[] = [];
  let group = 0;
  for (const [folder, all] of groups)
    for (const some of chunks(all)) {
      const place = `g${group++}`;
      for (const file of some) named.push({ file, name: `${place}/${split(file.path)[1]}` });
      // The target's name may begin with anything but a dash, for `$t` is absolute.
      lines.push(`(cd "$s/${place}" && mv -f ${some.map((file) => quote(`./${split(file.path)[1]}`)).join(' ')} "$t"/${quote(folder === '' ? '.' : folder)}/)`);
    }
  for (const [i, file] of alone.entries()) {
    named.push({ file, name: `l${i}` });
    lines.push(`mv -f "$s/l${i}" ${quote(`./${file.path}`)}`);
  }
  // Only where nothing is; a link that appeared meanwhile stays.
  for (const { path, target } of links) lines.push(`[ -e ${quote(`./${path}`)} ] || [ -L ${quote(`./${path}`)} ] || ln -s ${link(target)} ${quote(`./${path}`)}`);
  return { files: named, script: `${lines.join('\n')}\n` };
}

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

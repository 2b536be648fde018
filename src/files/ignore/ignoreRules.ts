import ignore, { type Ignore } from 'ignore';

/** An ignore file's rules and the folder they speak of. */
export interface Rules {
  readonly folder: string;
  /** Set for a file above the root: the root's path below its folder. */
  readonly below?: string;
  readonly matcher: Ignore;
}

/** What the deepest file that mentions a path says of it. Folders are asked for with a slash at the end. */
export function opinion(rules: readonly Rules[], path: string): 'ignored' | 'included' | undefined {
  for (const { folder, below, matcher } of rules) {
    const asked = relative(folder, below, path);
    if (asked === '') continue;
    const { ignored, unignored } = matcher.test(asked);
    if (ignored) return 'ignored';
    if (unignored) return 'included';
  }
  return undefined;
}

/**
 * The rules for what lies inside a folder that is sent. A shallower file may ignore that folder while a deeper one takes
 * it back; git then asks about the contents on their own, while a matcher goes on refusing whatever has that parent. So
 * such a matcher is told of the exception.
 */
export function reincluded(rules: readonly Rules[], folder: string, options: { ignoreCase: boolean }): readonly Rules[] {
  return rules.map((rule) => {
    const asked = relative(rule.folder, rule.below, folder);
    if (asked === '' || !rule.matcher.test(asked).ignored) return rule;
    const exception = `!/${asked.replace(/[\\*?[\] !#]/g, '\\$&')}`;
    return { ...rule, matcher: ignore(options).add(rule.matcher).add([exception]) };
  });
}

function relative(folder: string, below: string | undefined, path: string): string {
  if (below !== undefined) return path === '' ? `${below}/` : `${below}/${path}`;
  return folder === '' ? path : path.slice(folder.length + 1);
}

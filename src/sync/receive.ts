import { quote } from '../base/shell';
import { placementName } from './placement';

/** What is left of a dead upload is swept after a day. */
const SWEEP_DAYS = 1;
/** Whoever puts files in place for longer than this many seconds is not waited for any more. */
const MOST_TURN_S = 90;

/**
 * What runs on the pod. An archive that was cut short either fails in tar or lacks the list of renames, which comes last;
 * both end before the first rename. The list says `arrived` at that moment, which tells an error before it from one after it.
 *
 * Files are put in place by one upload at a time: one whose connection has gone may still be at it, and would put an older
 * file over the newer one that comes after it.
 * @param parent the staging folder of all uploads @param staging one of this upload alone, in there
 */
export function receive(parent: string, staging: string, compressed: boolean): string {
  const sweep = `find ${quoteInQuotes(parent)} -mindepth 1 -maxdepth 1 -mtime +${SWEEP_DAYS - 1} -exec rm -rf {} +`;
  return [
    'set -e; umask 022',
    `s=${quote(staging)} k=${quote(`${parent}/placing`)} own=`,
    `mkdir -p -m 700 ${quote(parent)} "$s"`,
    // Nobody has to wait for the broom.
    `trap 'cd /; [ -z "$own" ] || rm -rf "$k"; (rm -rf "$s"; ${sweep}) </dev/null >/dev/null 2>&1 &' EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM`,
    compressed ? 'gzip -dc | tar -x -o -p -f - -C "$s"' : 'tar -x -o -p -f - -C "$s"',
    `[ -f "$s/${placementName}" ]`,
    'n=0',
    'until mkdir "$k" 2>/dev/null; do',
    '  h=; { read -r h <"$k/pid"; } 2>/dev/null || :',
    // A process that is no more holds nothing.
    '  if [ -n "$h" ] && ! kill -0 "$h" 2>/dev/null; then rm -rf "$k"; else sleep 1; fi',
    `  n=$((n + 1)); [ "$n" -lt ${MOST_TURN_S} ] || break`,
    'done',
    'own=1; echo $$ >"$k/pid"',
    `. "$s/${placementName}"`,
    'echo placed',
  ].join('\n');
}

/** Quoted once more, for a place between single quotes. */
const quoteInQuotes = (path: string): string => quote(path).replaceAll("'", `'\\''`);

/** By which we know a hook of ours from another's. */
export const HOOK_MARK = '# Written by RunPod Workspaces';

/**
 * What git on the pod does with a push to the branch that is checked out there (`push-to-checkout`, githooks(5)). git's own
 * rule refuses as soon as anything is uncommitted, in words that few understand, and cannot begin in a folder that has files.
 * This one refuses what would be lost, by name; what lies there just as it is pushed (sent by Push to Pod before it was
 * committed, for example) is no work to lose.
 *
 * Names are compared as git quotes them, a line each. Takes git, awk, sort, uniq; those of BusyBox do.
 */
export const pushToCheckout = `#!/bin/sh
${HOOK_MARK}.
# A push to the branch that is checked out here goes into the files, unless it would lose work that is in no commit.
# Without this file git's own rule holds: nothing may be uncommitted at all.
new=$1
cd "\${GIT_WORK_TREE:-.}" || exit 1
old=$(git rev-parse -q --verify 'HEAD^{tree}') || old=$(git hash-object -t tree /dev/null)
dir=$(git rev-parse --git-dir) || exit 1
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
tmp=$dir/runpod-push.$$
rm -rf "$tmp"; mkdir "$tmp" || exit 1
trap 'rm -rf "$tmp"' EXIT
LC_ALL=C; export LC_ALL
here() { git -c core.quotePath=true "$@"; }
next() { GIT_INDEX_FILE=$tmp/index git -c core.quotePath=true "$@"; }
both() { sort "$tmp/$1" "$tmp/$2" | uniq -d; }

here update-index -q --ignore-submodules --refresh >/dev/null
next read-tree "$new" || exit 1
next update-index -q --ignore-submodules --refresh >/dev/null
# What is pushed, beside the files: what is something else here, and what is not here at all.
next diff-files --name-only --ignore-submodules -- >"$tmp/apart" || exit 1
next diff-files --name-only --ignore-submodules --diff-filter=D -- >"$tmp/missing" || exit 1
next diff-files --name-only --ignore-submodules --diff-filter=d -- >"$tmp/other" || exit 1
# Work in no commit, in the files (alive: not by being deleted) and as it was added.
here diff-index --name-only --ignore-submodules "$old" -- >"$tmp/changed" || exit 1
here diff-index --name-only --ignore-submodules --diff-filter=d "$old" -- >"$tmp/alive" || exit 1
here diff-index --cached --name-only --ignore-submodules "$old" -- >"$tmp/added" || exit 1
here diff-index --cached --name-only --ignore-submodules "$new" -- >"$tmp/addedApart" || exit 1
# What the push takes away, and what it brings that git does not know here.
here diff-index --cached --name-only --ignore-submodules --diff-filter=A "$new" -- >"$tmp/gone" || exit 1
here diff-index --cached --name-only --ignore-submodules --diff-filter=D "$new" -- >"$tmp/new" || exit 1
{ both changed apart; both alive gone; both added addedApart; both new other; } | sort -u >"$tmp/lost"
if [ -s "$tmp/lost" ]; then
  {
    echo "Refused: in $PWD there is work that is in no commit, and this push would lose it:"
    head -n 20 "$tmp/lost" | sed 's/^/  /'
    [ "$(wc -l <"$tmp/lost")" -le 20 ] || echo "  and more"
    echo "Commit it on the pod and pull, or undo it there; then push again."
  } >&2
  exit 1
fi

# What lies there as it is pushed is taken as it is; git sees to the rest, and writes over nothing that it does not know.
sort "$tmp/new" "$tmp/missing" "$tmp/missing" | uniq -u >"$tmp/take"
cat "$tmp/changed" >>"$tmp/take"
next ls-files --stage | awk 'NR == FNR { want[$0] = 1; next } { name = $0; sub(/^[^\\t]*\\t/, "", name); if (name in want) print }' "$tmp/take" - >"$tmp/entries" || exit 1
index=$(git rev-parse --git-path index)
if [ -f "$index" ]; then cp "$index" "$tmp/before" || exit 1; fi
if here update-index --index-info <"$tmp/entries" && { here update-index -q --ignore-submodules --refresh >/dev/null; git read-tree -u -m "$old" "$new"; }; then exit 0; fi
if [ -f "$tmp/before" ]; then cp "$tmp/before" "$index"; else rm -f "$index"; fi
exit 1
`;

import { quote } from '../base/shell';

/**
 * What runs a file of a type, as shell text that the file's path is put behind. `python` as the first word means the
 * Python that belongs to the file: a virtual environment beside or above it, else the pod's.
 */
export const defaultInterpreters: Readonly<Record<string, string>> = {
  '.py': 'python',
  '.ipynb': 'python -m jupyter nbconvert --to notebook --execute --inplace',
  '.sh': 'bash',
  '.bash': 'bash',
  '.zsh': 'zsh',
  '.js': 'node',
  '.mjs': 'node',
  '.cjs': 'node',
  '.ts': 'npx tsx',
  '.rb': 'ruby',
  '.pl': 'perl',
  '.php': 'php',
  '.r': 'Rscript',
  '.jl': 'julia',
  '.lua': 'lua',
  '.go': 'go run',
};

/** What is known of a file and of the Python near it, from `probeFile`. */
export interface FileFacts {
  readonly exists: boolean;
  readonly executable: boolean;
  /** The first line's text after `#!`, trimmed. */
  readonly shebang: string | undefined;
  /** Absolute path of the nearest virtual environment's Python. */
  readonly venvPython: string | undefined;
  /** `python3` or `python`, whichever the pod's PATH has. */
  readonly python: string | undefined;
}

/** How a file is run, or why it cannot be. */
export type RunPlan =
  | { readonly kind: 'run'; readonly command: string; /** A virtual environment was found and used. */ readonly venv?: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'no-interpreter'; readonly extension: string };

/**
 * Shell text that finds out on the pod, in one round trip, what `readFacts` reads. Run it through `composeCommand`, so
 * that PATH is the pod's own. Virtual environments are looked for from the file's folder up to `root`.
 */
export function probeFile(file: string, root: string): string {
  return [
    `f=${quote(file)} root=${quote(root.replace(/\/+$/, ''))}`,
    'd=${f%/*} v=',
    'while :; do',
    '  for n in .venv venv; do if [ -z "$v" ] && [ -x "$d/$n/bin/python" ]; then v=$d/$n/bin/python; fi; done',
    '  if [ -n "$v" ] || [ -z "$d" ] || [ "$d" = "$root" ]; then break; fi',
    '  d=${d%/*}',
    'done',
    `say() { printf '%s\\000' "$1"; }`,
    'if [ -f "$f" ]; then say f; else say; fi',
    'if [ -x "$f" ]; then say x; else say; fi',
    // A first line is read only from what begins with `#!`: a file of weights has no lines.
    `if [ "$(head -c 2 -- "$f" 2>/dev/null | tr -d '\\000')" = '#!' ]; then say "$(head -c 512 -- "$f" | head -n 1 | tr -d '\\000\\r')"; else say; fi`,
    'say "$v"',
    'say "$(command -v python3 || command -v python)"',
  ].join('\n');
}

/** Reads what `probeFile` printed. */
export function readFacts(stdout: string): FileFacts {
  const [exists, executable, firstLine, venvPython, python] = stdout.split('\0');
  const shebang = firstLine?.replace(/^#!/, '').trim();
  return { exists: exists === 'f', executable: executable === 'x', shebang: shebang || undefined, venvPython: venvPython || undefined, python: python || undefined };
}

/**
 * How to run a file: the person's own word for its type; else as the file itself says (executable, with a first line
 * that names more than just any Python); else by its type; else by that first line.
 * @param configured extension (with its dot) → shell text; an empty text takes a default away.
 */
export function planRun(file: string, facts: FileFacts, configured: Readonly<Record<string, string>> = {}): RunPlan {
  if (!facts.exists) return { kind: 'missing' };
  const name = file.slice(file.lastIndexOf('/') + 1);
  const extension = name.lastIndexOf('.') > 0 ? name.slice(name.lastIndexOf('.')).toLowerCase() : '';
  const path = quote(file);

  const own = configured[extension];
  if (own !== undefined && own.trim() !== '') return resolvePython(own, path, facts);
  const anyPython = facts.shebang !== undefined && /^\/\S*\/(env\s+)?python[\d.]*$/.test(facts.shebang);
  if (facts.executable && facts.shebang !== undefined && !anyPython) return { kind: 'run', command: path };
  const usual = own === undefined ? defaultInterpreters[extension] : undefined;
  if (usual !== undefined) return resolvePython(usual, path, facts);
  if (anyPython) return resolvePython('python', path, facts);
  if (facts.executable) return { kind: 'run', command: path };
  if (facts.shebang !== undefined) return { kind: 'run', command: `${shebangWords(facts.shebang)} ${path}` };
  return { kind: 'no-interpreter', extension };
}

/** The kernel takes what follows the interpreter as one argument, blanks and all. */
function shebangWords(shebang: string): string {
  const [interpreter = '', argument] = shebang.split(/\s+(.*)/s);
  return [interpreter, argument].filter((word) => word !== undefined && word !== '').map((word) => quote(word ?? '')).join(' ');
}

function resolvePython(interpreter: string, path: string, facts: FileFacts): RunPlan {
  const [, first = '', rest = ''] = /^\s*(\S+)([^]*)$/.exec(interpreter) ?? [];
  if (first !== 'python') return { kind: 'run', command: `${interpreter.trim()} ${path}` };
  if (facts.venvPython !== undefined) return { kind: 'run', command: `${quote(facts.venvPython)}${rest} ${path}`, venv: facts.venvPython };
  // By name, not by path: shorter to read, and the pod's PATH decides again at every run.
  const python = facts.python === undefined || facts.python.endsWith('/python3') ? 'python3' : 'python';
  return { kind: 'run', command: `${python}${rest} ${path}` };
}

import { quote } from '../base/shell';

/** Executes a notebook and writes its outputs into it; a cell may take as long as it takes (older versions give it 30 s). */
const NBCONVERT = 'nbconvert --to notebook --execute --inplace --ExecutePreprocessor.timeout=-1';

/** What can execute a notebook: a module of its Python, or the `jupyter` on the pod's PATH. */
export type NotebookTool = 'nbconvert' | 'papermill' | 'jupyter';

/**
 * What runs a file of a type, as shell text that the file's path is put behind. `python` as the first word means the
 * Python that belongs to the file: a virtual environment beside or above it, else the pod's.
 */
export const defaultInterpreters: Readonly<Record<string, string>> = {
  '.py': 'python',
  '.ipynb': `python -m ${NBCONVERT}`,
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
  /** What that Python says it is: `Python 3.11.9`. Of a Python file and a notebook only. */
  readonly version?: string | undefined;
  /** Of a notebook only. */
  readonly notebookTool?: NotebookTool | undefined;
  /** The conda environment that the pod's Python belongs to, by its path. */
  readonly conda?: string | undefined;
  /** The nearest folder with a `uv.lock`, where the pod has uv and no virtual environment was found. */
  readonly uvProject?: string | undefined;
}

/** How a file is run, or why it cannot be. */
export type RunPlan =
  | { readonly kind: 'run'; readonly command: string; /** A virtual environment was found and used. */ readonly venv?: string }
  | { readonly kind: 'missing' }
  /** Nothing on the pod executes notebooks; the command that changes that. */
  | { readonly kind: 'no-notebook-tool'; readonly install: string }
  | { readonly kind: 'no-interpreter'; readonly extension: string };

/**
 * Shell text that finds out on the pod, in one round trip, what `readFacts` reads. Run it through `composeCommand`, so
 * that PATH is the pod's own. Virtual environments are looked for from the file's folder up to `root`.
 */
export function probeFile(file: string, root: string): string {
  return [
    `f=${quote(file)} root=${quote(root.replace(/\/+$/, ''))}`,
    'd=${f%/*} v= u=',
    'while :; do',
    '  for n in .venv venv env .conda; do if [ -z "$v" ] && [ -x "$d/$n/bin/python" ]; then v=$d/$n/bin/python; fi; done',
    '  if [ -z "$u" ] && [ -f "$d/uv.lock" ]; then u=$d; fi',
    '  if [ -n "$v" ] || [ -z "$d" ] || [ "$d" = "$root" ]; then break; fi',
    '  d=${d%/*}',
    'done',
    `say() { printf '%s\\000' "$1"; }`,
    'if [ -f "$f" ]; then say f; else say; fi',
    'if [ -x "$f" ]; then say x; else say; fi',
    // A first line is read only from what begins with `#!`: a file of weights has no lines.
    `if [ "$(head -c 2 -- "$f" 2>/dev/null | tr -d '\\000')" = '#!' ]; then say "$(head -c 512 -- "$f" | head -n 1 | tr -d '\\000\\r')"; else say; fi`,
    'say "$v"',
    'p=$(command -v python3 || command -v python); say "$p"',
    'py=${v:-$p}',
    `case $f in *.[pP][yY]|*.ipynb) say "$("$py" -V 2>&1 | head -n 1)" ;; *) say ;; esac`,
    `has() { "$py" -c 'import importlib.util as u, sys; sys.exit(u.find_spec(sys.argv[1]) is None)' "$1" 2>/dev/null; }`,
    'case $f in',
    '  *.ipynb) if has nbconvert; then say nbconvert; elif has papermill; then say papermill; elif [ -z "$v" ] && jupyter nbconvert --version >/dev/null 2>&1; then say jupyter; else say; fi ;;',
    '  *) say ;;',
    'esac',
    // A conda environment has this folder, active or not.
    'c=${p%/bin/*}; if [ -z "$v" ] && [ -d "$c/conda-meta" ]; then say "$c"; else say; fi',
    'if [ -z "$v" ] && [ -n "$u" ] && command -v uv >/dev/null 2>&1; then say "$u"; else say; fi',
  ].join('\n');
}

const TOOLS: readonly NotebookTool[] = ['nbconvert', 'papermill', 'jupyter'];

/** Reads what `probeFile` printed. */
export function readFacts(stdout: string): FileFacts {
  const [exists, executable, firstLine, venvPython, python, version, notebook, conda, uvProject] = stdout.split('\0');
  const shebang = firstLine?.replace(/^#!/, '').trim();
  return { exists: exists === 'f', executable: executable === 'x', shebang: shebang || undefined, venvPython: venvPython || undefined, python: python || undefined, version: /^Python \d\S*$/.exec(version ?? '')?.[0], notebookTool: TOOLS.find((tool) => tool === notebook), conda: conda || undefined, uvProject: uvProject || undefined };
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
  if (extension === '.ipynb' && own === undefined) return planNotebook(path, facts);
  const usual = own === undefined ? defaultInterpreters[extension] : undefined;
  if (usual !== undefined) return resolvePython(usual, path, facts);
  if (anyPython) return resolvePython('python', path, facts);
  if (facts.executable) return { kind: 'run', command: path };
  if (facts.shebang !== undefined) return { kind: 'run', command: `${shebangWords(facts.shebang)} ${path}` };
  return { kind: 'no-interpreter', extension };
}

function planNotebook(path: string, facts: FileFacts): RunPlan {
  switch (facts.notebookTool) {
    case 'nbconvert':
      return resolvePython(`python -m ${NBCONVERT}`, path, facts);
    case 'papermill':
      return resolvePython(`python -m papermill ${path}`, path, facts);
    case 'jupyter':
      return { kind: 'run', command: `jupyter ${NBCONVERT} ${path}` };
    case undefined: {
      const python = facts.venvPython === undefined ? (facts.python?.endsWith('/python') ? 'python' : 'python3') : quote(facts.venvPython);
      return { kind: 'no-notebook-tool', install: `${python} -m pip install nbconvert ipykernel || uv pip install --python ${python} nbconvert ipykernel` };
    }
  }
}

/** The Python that runs a file, as a person knows it: `Python 3.11.9, /workspace/p/.venv`. `undefined` where that is not known. */
export function pythonWords(facts: FileFacts): string | undefined {
  if (facts.uvProject !== undefined) return `uv, ${facts.uvProject}`;
  if (facts.version === undefined) return undefined;
  const where = facts.venvPython?.replace(/\/bin\/[^/]+$/, '') ?? facts.conda ?? facts.python;
  return where === undefined ? facts.version : `${facts.version}, ${where}`;
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
  // As its lock file says, made at the first run.
  if (facts.uvProject !== undefined) return { kind: 'run', command: `uv run --project ${quote(facts.uvProject)} python${rest} ${path}` };
  // By name, not by path: shorter to read, and the pod's PATH decides again at every run.
  const python = facts.python === undefined || facts.python.endsWith('/python3') ? 'python3' : 'python';
  return { kind: 'run', command: `${python}${rest} ${path}` };
}

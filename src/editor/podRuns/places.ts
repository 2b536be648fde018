import { Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, l10n, languages, Location, Position, Range, Uri, window, type Disposable, type TerminalLink } from 'vscode';
import type { RunRecord } from '../../runs/detached/list';
import { placesIn, resolvePath, type Place } from '../../runs/places';
import { ProblemReader, type Problem } from '../../runs/problems';
import { showError } from '../commands/command';
import { sourceFolder, type IsOurs } from '../runSource';
import { SCHEME } from '../ids';

/** Terminals whose runs' places can be told; the oldest is forgotten. */
const REMEMBERED = 100;
/** A program may fail the same way for ever. */
const MOST_PROBLEMS = 200;

interface RunLink extends TerminalLink {
  readonly uri: Uri;
  readonly place: Place;
}

/**
 * Where the files are that runs speak of: in their terminals as links, and in the Problems panel. A file that was sent from a
 * folder of this machine is meant in that folder, for there it is edited.
 */
export class RunPlaces implements Disposable {
  readonly #runs = new Map<string, RunRecord>();
  readonly #problems = languages.createDiagnosticCollection('runpod-runs');
  /** What each run has put into the panel, by what it is called on which pod. */
  readonly #found = new Map<string, { readonly uri: Uri; readonly diagnostic: Diagnostic }[]>();
  readonly #links = window.registerTerminalLinkProvider({
    provideTerminalLinks: ({ terminal, line }): RunLink[] => {
      const run = this.#runOf(terminal.name);
      if (run === undefined) return [];
      return placesIn(line).map((place) => {
        const uri = this.uriOf(run, place.path);
        return { startIndex: place.start, length: place.length, tooltip: uri.scheme === SCHEME ? l10n.t('Open the file on the pod') : l10n.t('Open the local file'), uri, place };
      });
    },
    handleTerminalLink: async ({ uri, place }: RunLink) => {
      try {
        const at = new Position(place.line - 1, Math.max(0, (place.column ?? 1) - 1));
        await window.showTextDocument(uri, { selection: new Range(at, at) });
      } catch (error) {
        void showError(error);
      }
    },
  });

  constructor(private readonly isOurs: IsOurs) {}

  /** @param label the name of the run's terminal, or part of it */
  follow(run: RunRecord, label: string, listen: (listener: (text: string) => void) => void): void {
    this.#runs.delete(label);
    this.#runs.set(label, run);
    if (this.#runs.size > REMEMBERED) for (const [first] of this.#runs) return void this.#runs.delete(first);
    const key = `${run.podId} ${run.meta.title}`;
    this.#found.set(key, []);
    this.#show();
    const root = run.meta.cwd ?? '/';
    const reader = new ProblemReader(
      (path) => {
        const absolute = resolvePath(path, root);
        return absolute.startsWith(`${root}/`) && !/\/(?:site-packages|dist-packages|\.?venv|node_modules)\//.test(absolute);
      },
      (problem) => this.#add(key, run, problem, label),
    );
    listen((text) => reader.read(text));
  }

  /** Where a file is edited that a run names. */
  uriOf({ podId, meta }: RunRecord, path: string): Uri {
    const absolute = resolvePath(path, meta.cwd ?? '/');
    const { cwd } = meta;
    const source = sourceFolder({ meta }, this.isOurs);
    if (source !== undefined && cwd !== undefined && absolute.startsWith(`${cwd}/`)) return Uri.joinPath(source, absolute.slice(cwd.length + 1));
    return Uri.from({ scheme: SCHEME, authority: podId, path: absolute });
  }

  dispose(): void {
    this.#links.dispose();
    this.#problems.dispose();
  }

  #runOf(terminalName: string): RunRecord | undefined {
    return this.#runs.get(terminalName) ?? [...this.#runs].findLast(([label]) => terminalName.includes(label))?.[1];
  }

  #add(key: string, run: RunRecord, problem: Problem, label: string): void {
    const found = this.#found.get(key);
    if (found === undefined || found.length >= MOST_PROBLEMS) return;
    const uri = this.uriOf(run, problem.path);
    const diagnostic = new Diagnostic(rangeOf(problem.line, problem.column), problem.message, SEVERITY[problem.severity]);
    diagnostic.source = label;
    diagnostic.relatedInformation = problem.frames
      .slice(-10)
      .map(({ path, line, name }) => new DiagnosticRelatedInformation(new Location(this.uriOf(run, path), rangeOf(line)), name === '' ? l10n.t('called here') : name));
    const known = found.some((one) => one.uri.toString() === uri.toString() && one.diagnostic.message === diagnostic.message && one.diagnostic.range.isEqual(diagnostic.range));
    if (known) return;
    found.push({ uri, diagnostic });
    this.#show();
  }

  #show(): void {
    const byFile = new Map<string, { uri: Uri; diagnostics: Diagnostic[] }>();
    for (const { uri, diagnostic } of [...this.#found.values()].flat()) {
      const file = byFile.get(uri.toString()) ?? { uri, diagnostics: [] };
      file.diagnostics.push(diagnostic);
      byFile.set(uri.toString(), file);
    }
    this.#problems.clear();
    this.#problems.set([...byFile.values()].map(({ uri, diagnostics }) => [uri, diagnostics]));
  }
}

const SEVERITY = { error: DiagnosticSeverity.Error, warning: DiagnosticSeverity.Warning, info: DiagnosticSeverity.Information } as const;

/** A whole line where there is no column; the editor ends it where the line does. */
const rangeOf = (line: number, column?: number): Range => (column === undefined ? new Range(line - 1, 0, line - 1, 1_000) : new Range(line - 1, column - 1, line - 1, column));

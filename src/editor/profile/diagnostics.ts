import { Diagnostic, DiagnosticSeverity, extensions, languages, Range, workspace, type Disposable, type TextDocument } from 'vscode';
import type { ProfileProblem } from '../../pods/profile/problems';
import { PROFILE_FILE } from './folder';
import { problemWords } from './problemWords';

const QUIET_MS = 300;

/** What the editor's own JSON support already says, from the schema; it is not said twice. */
const FROM_SCHEMA: ReadonlySet<ProfileProblem['code']> = new Set(['syntax', 'unknown-field', 'wrong-type', 'not-permitted', 'bad-format', 'too-small', 'too-big', 'empty']);

/** Marks what is wrong in every open `runpod.json`, at its exact place. */
export class ProfileDiagnostics implements Disposable {
  readonly #collection = languages.createDiagnosticCollection('runpod');
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #subscriptions: Disposable[];
  /** What was found against the catalog, until the text changes. */
  readonly #further = new Map<string, readonly ProfileProblem[]>();

  constructor() {
    this.#subscriptions = [
      workspace.onDidOpenTextDocument((d) => this.#soon(d)),
      workspace.onDidChangeTextDocument((e) => {
        this.#further.delete(e.document.uri.toString());
        this.#soon(e.document);
      }),
      workspace.onDidCloseTextDocument((d) => {
        this.#further.delete(d.uri.toString());
        this.#collection.delete(d.uri);
      }),
    ];
    for (const document of workspace.textDocuments) this.#soon(document);
  }

  /** Shows what only the catalog could tell, until the text changes. */
  async add(document: TextDocument, problems: readonly ProfileProblem[]): Promise<void> {
    this.#further.set(document.uri.toString(), problems);
    await this.#check(document);
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const s of this.#subscriptions) s.dispose();
    this.#collection.dispose();
  }

  #soon(document: TextDocument): void {
    if (!document.uri.path.endsWith(`/${PROFILE_FILE}`)) return;
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(() => void this.#check(document), QUIET_MS));
  }

  async #check(document: TextDocument): Promise<void> {
    const { readProfiles } = await import('../../pods/profile/read');
    if (document.isClosed) return;
    const { problems } = readProfiles(document.getText());
    const schemaSpeaks = extensions.getExtension('vscode.json-language-features') !== undefined;
    const ours = problems.filter((p) => !schemaSpeaks || !FROM_SCHEMA.has(p.code) || p.other !== undefined);
    this.#collection.set(document.uri, [...ours, ...(this.#further.get(document.uri.toString()) ?? [])].map((p) => diagnosticOf(document, p)));
  }
}

function diagnosticOf(document: TextDocument, p: ProfileProblem): Diagnostic {
  const diagnostic = new Diagnostic(new Range(document.positionAt(p.offset), document.positionAt(p.offset + p.length)), problemWords(p), DiagnosticSeverity.Error);
  diagnostic.source = 'RunPod';
  diagnostic.code = p.code;
  return diagnostic;
}

import { randomBytes } from 'node:crypto';
import { env, l10n, Uri, ViewColumn, window, workspace, type Disposable, type WebviewPanel } from 'vscode';
import { CancelledError } from '../../base/errors';
import { choices, command, showError } from '../commands/command';
import { pageIcon } from '../pageIcon';
import type { Parts } from '../parts';
import type { ProfileDiagnostics } from './diagnostics';
import { PROFILE_FILE, readFolder } from './folder';
import { chosenProfile, madeOf, type Made } from './made';
import { planHtml } from './planHtml';
import { problemWords } from './problemWords';
import { STARTER } from './starter';
import { notice } from '../prompts/notice';

/** `runpod.planPod`, `runpod.createProfile`: what a folder's `runpod.json` asks for. */
export function registerProfiles(parts: Parts, plans: Plans): Disposable[] {
  return [
    plans,
    command('runpod.planPod', parts.log, (target, options) => plans.plan(folderIn(target), profileIn(target, options))),
    command('runpod.createProfile', parts.log, (target) => createFile(folderIn(target))),
  ];
}

/** The folder among a command's arguments: a file or folder of the explorer, or an address as text. */
export const folderIn = (target: unknown): Uri | undefined => (target instanceof Uri ? target : typeof target === 'string' && target !== '' ? Uri.parse(target, true) : undefined);

/** The profile's name among them. */
export function profileIn(target: unknown, options: unknown): string | undefined {
  const wanted = (choices(options) ?? choices(target))?.['profile'];
  return typeof wanted === 'string' ? wanted : undefined;
}

/** The page that shows what a profile would create, before anything is bought. */
export class Plans implements Disposable {
  #panel: WebviewPanel | undefined;
  #shown: Made | undefined;

  /** @param create makes what was shown */
  constructor(
    private readonly parts: Pick<Parts, 'api' | 'context'>,
    private readonly diagnostics: ProfileDiagnostics,
    private readonly create: (made: Made) => Promise<unknown>,
  ) {}

  async plan(at: Uri | undefined, wanted: string | undefined): Promise<unknown> {
    return this.show(await madeOf(await this.parts.api.client(), await chosenProfile(at, wanted), this.diagnostics));
  }

  /** @returns the same as data */
  show(made: Made): unknown {
    const { read, plan } = made;
    const words = plan.problems.map((p) => problemWords(read.place(p)));
    const panel = (this.#panel ??= this.#open());
    this.#shown = made;
    panel.title = l10n.t('Plan: {0}', plan.name);
    panel.webview.html = planHtml(plan, randomBytes(16).toString('base64'), words);
    panel.reveal(undefined, false);
    return {
      name: plan.name,
      candidates: plan.rows.map(({ candidate: c, cost }) => ({ label: c.label, cloud: c.cloud, stock: c.stock, perHour: c.perHour, withDisksPerHour: cost.perHour, perWorkingMonth: cost.perWorkingMonth, atLimit: cost.atLimit })),
      refused: plan.refused.map(({ candidate: c, reason }) => ({ label: c.label, cloud: c.cloud, reason })),
      request: plan.request,
      problems: words,
    };
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  #open(): WebviewPanel {
    const panel = window.createWebviewPanel('runpod.plan', l10n.t('Plan'), ViewColumn.Active, { enableScripts: true, localResourceRoots: [], enableFindWidget: true });
    panel.iconPath = pageIcon(this.parts.context);
    panel.webview.onDidReceiveMessage((message: unknown) => void this.#act(message).catch(showError));
    panel.onDidDispose(() => (this.#panel = undefined));
    return panel;
  }

  async #act(message: unknown): Promise<void> {
    const shown = this.#shown;
    if (!shown) return;
    const { read, named, plan } = shown;
    if (message === 'copy') {
      await env.clipboard.writeText(`${JSON.stringify(plan.request, undefined, 2)}\n`);
      notice.brief(l10n.t('Copied the request for {0}.', plan.name), 5000);
    }
    if (message === 'edit') await window.showTextDocument(Uri.joinPath(read.folder.uri, PROFILE_FILE), { viewColumn: ViewColumn.Beside });
    if (message !== 'create') return;
    // What was shown is what is bought: a profile that has changed since is planned again.
    const now = (await readFolder(read.folder)).profiles.find((p) => p.key === named.key);
    if (JSON.stringify(now) !== JSON.stringify(named)) {
      await this.plan(read.folder.uri, named.key);
      void notice.warn(l10n.t('{0} has changed; this is the new plan. Nothing was created.', PROFILE_FILE));
      return;
    }
    await this.create(shown);
  }
}

/** Writes a `runpod.json` to begin with, where there is none, and opens it. */
async function createFile(at: Uri | undefined): Promise<string> {
  const folders = workspace.workspaceFolders ?? [];
  const folder = (at && workspace.getWorkspaceFolder(at)) ?? (folders.length === 1 ? folders[0] : await window.showWorkspaceFolderPick({ placeHolder: l10n.t('Which folder?') }));
  if (!folder) throw folders.length === 0 ? new Error(l10n.t('Open a folder first.')) : new CancelledError();
  const uri = Uri.joinPath(folder.uri, PROFILE_FILE);
  const there = await workspace.fs.stat(uri).then(() => true, () => false);
  if (!there) await workspace.fs.writeFile(uri, new TextEncoder().encode(STARTER));
  await window.showTextDocument(uri);
  return uri.toString();
}

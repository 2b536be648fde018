import { randomBytes } from 'node:crypto';
import { env, l10n, Uri, ViewColumn, window, workspace, type Disposable, type WebviewPanel, type WorkspaceFolder } from 'vscode';
import { CancelledError } from '../../base/errors';
import { requestFor } from '../../pods/profile/resolve';
import type { NamedProfile } from '../../pods/profile/asked';
import type { Pod } from '../../runpod/types';
import { choices, command, run, showError } from '../commands/command';
import { createAsked } from '../createPod/command';
import type { Asked } from '../createPod/place';
import type { Parts } from '../parts';
import { FolderConsents } from './consent';
import { ProfileDiagnostics } from './diagnostics';
import { podEnvironment } from './environment';
import { PROFILE_FILE, pickFolder, pickProfile, readFolder, type FolderProfiles } from './folder';
import { planOf, type Plan } from './plan';
import { planHtml } from './planHtml';
import { problemWords } from './problemWords';
import { STARTER } from './starter';

/** `runpod.planPod`, `runpod.createPodFromFolder`, `runpod.createProfile`: what a folder's `runpod.json` asks for. */
export function registerProfiles(parts: Parts): Disposable[] {
  const diagnostics = new ProfileDiagnostics();
  const profiles = new Profiles(parts, diagnostics);
  return [
    diagnostics,
    profiles,
    command('runpod.planPod', parts.log, (target, options) => profiles.plan(uriOf(target), wantedIn(target, options))),
    command('runpod.createPodFromFolder', parts.log, (target, options) => profiles.create(uriOf(target), wantedIn(target, options))),
    command('runpod.createProfile', parts.log, (target) => createFile(uriOf(target))),
  ];
}

const uriOf = (target: unknown): Uri | undefined => (target instanceof Uri ? target : undefined);

function wantedIn(target: unknown, options: unknown): string | undefined {
  const wanted = (choices(options) ?? choices(target))?.['profile'];
  return typeof wanted === 'string' ? wanted : undefined;
}

class Profiles implements Disposable {
  readonly #consents: FolderConsents;
  #panel: WebviewPanel | undefined;
  #shown: { readonly folder: WorkspaceFolder; readonly named: NamedProfile; readonly plan: Plan } | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly diagnostics: ProfileDiagnostics,
  ) {
    this.#consents = new FolderConsents(parts.context.globalState);
  }

  /** Shows what would be created. @returns the same as data */
  async plan(at: Uri | undefined, wanted: string | undefined): Promise<unknown> {
    const { read, named, plan } = await this.#made(at, wanted);
    const words = plan.problems.map((p) => problemWords(read.place(p)));
    const panel = (this.#panel ??= this.#open());
    this.#shown = { folder: read.folder, named, plan };
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

  /** Plans, names the price, and creates. */
  async create(at: Uri | undefined, wanted: string | undefined): Promise<unknown> {
    const { read, named, plan } = await this.#made(at, wanted);
    const first = plan.problems[0];
    if (first) throw new Error(l10n.t('{0} cannot be used: {1}', PROFILE_FILE, problemWords(read.place(first))));
    const { confirmPlan } = await import('./confirm');
    if ((await confirmPlan(plan)) === 'plan') return this.plan(read.folder.uri, named.key);
    return this.#create(read.folder, named, plan);
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  async #made(at: Uri | undefined, wanted: string | undefined): Promise<{ read: FolderProfiles; named: NamedProfile; plan: Plan }> {
    const folder = await pickFolder(at);
    const read = await readFolder(folder);
    const named = await pickProfile(read, wanted, problemWords);
    const plan = await planOf(await this.parts.api.client(), named, folder.name);
    if (plan.problems.length > 0) await this.diagnostics.add(await workspace.openTextDocument(read.uri), plan.problems.map((p) => read.place(p)));
    return { read, named, plan };
  }

  async #create(folder: WorkspaceFolder, named: NamedProfile, plan: Plan): Promise<unknown> {
    if (plan.rows.length === 0) {
      const cheapest = [...plan.refused].sort((a, b) => (a.candidate.perHour ?? Infinity) - (b.candidate.perHour ?? Infinity))[0];
      throw new Error(cheapest ? l10n.t('Everything this profile names costs more than its maxPricePerHour; the cheapest is {0} at ${1}/hr. Nothing was asked for.', cheapest.candidate.label, cheapest.candidate.perHour?.toFixed(2) ?? '?') : l10n.t('Nothing this profile names is rented by RunPod.'));
    }
    const env = await podEnvironment(folder, named, this.parts.context.secrets, this.#consents);
    const asked = plan.resolved.candidates.map((candidate): Asked => ({ request: requestFor(plan.resolved, candidate, named.profile, env), label: candidate.label, perHour: candidate.perHour, ...(plan.limits ? { limits: plan.limits } : {}), profile: { folder: folder.uri.toString(), ...(named.key === undefined ? {} : { key: named.key }) } }));
    const { postCreateCommand } = named.profile;
    return createAsked(this.parts, asked, postCreateCommand === undefined ? undefined : (pod) => this.#afterReady(pod, postCreateCommand));
  }

  async #afterReady(pod: Pod, line: string): Promise<void> {
    await run('runpod.runCommand', { podId: pod.id }, line);
  }

  #open(): WebviewPanel {
    const panel = window.createWebviewPanel('runpod.plan', l10n.t('Plan'), ViewColumn.Active, { enableScripts: true, localResourceRoots: [], enableFindWidget: true });
    panel.iconPath = Uri.joinPath(this.parts.context.extensionUri, 'media', 'runpod.svg');
    panel.webview.onDidReceiveMessage((message: unknown) => void this.#act(message).catch(showError));
    panel.onDidDispose(() => (this.#panel = undefined));
    return panel;
  }

  async #act(message: unknown): Promise<void> {
    const shown = this.#shown;
    if (!shown) return;
    const { folder, named, plan } = shown;
    if (message === 'copy') {
      await env.clipboard.writeText(`${JSON.stringify(plan.request, undefined, 2)}\n`);
      window.setStatusBarMessage(l10n.t('Copied the request for {0}.', plan.name), 5000);
    }
    if (message === 'edit') await window.showTextDocument(Uri.joinPath(folder.uri, PROFILE_FILE), { viewColumn: ViewColumn.Beside });
    if (message !== 'create') return;
    // What was shown is what is bought: a profile that has changed since is planned again.
    const read = await readFolder(folder);
    const now = read.profiles.find((p) => p.key === named.key);
    if (JSON.stringify(now) !== JSON.stringify(named)) {
      await this.plan(folder.uri, named.key);
      void window.showWarningMessage(l10n.t('{0} has changed; this is the new plan. Nothing was created.', PROFILE_FILE));
      return;
    }
    await this.#create(folder, named, plan);
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

import { l10n, Uri, workspace, type Disposable } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { Pod } from '../../runpod/types';
import { GitError } from '../../sync/git/errors';
import { repositoryHere, sharesHistory, type RepositoryHere } from '../../sync/git/here';
import { Git } from '../../sync/git/program';
import { freeName, podOfUrl, reachRemote, remoteName, remotesOf, remoteUrl, requireRemoteName, type GitRemote } from '../../sync/git/remotes';
import { lookThere, makeThere, type PlaceThere } from '../../sync/git/there';
import { choices, command, showError, targetId, Targets } from '../commands/command';
import type { Parts } from '../parts';
import type { PodAliases } from '../remoteSsh/aliases';
import { onPod } from '../sync/mappings';
import { mountPath } from '../sync/push';
import { sourceOf } from '../sync/source';
import { folderName } from '../sync/localFolder';
import { withPatience } from '../progress';
import { GoneRemotes } from './gone';
import { gitProgram, refreshSourceControl } from './gitExtension';
import { pushBranch } from './push';
import { notice } from '../prompts/notice';
import { ask } from '../prompts/ask';

/** What Add Pod as Git Remote gives back. */
export interface AddedRemote extends GitRemote {
  /** The repository's folder on the pod. */
  readonly path: string;
}

interface RemoteChoices {
  readonly given: boolean;
  readonly pod: string | undefined;
  readonly destination: string | undefined;
  readonly name: string | undefined;
  /** The caller has asked what there is to ask. */
  readonly confirmed: boolean;
}

/** `runpod.addGitRemote(folder or pod, {pod, destination, name, confirmed})`. */
export function registerGitRemote(parts: Parts, aliases: PodAliases): Disposable[] {
  const targets = new Targets(parts.store, parts.activePod);
  const gone = new GoneRemotes(parts);

  async function add(target: unknown, second: unknown): Promise<AddedRemote> {
    if (!workspace.isTrusted) throw new Error(l10n.t('git runs what a repository’s settings name. Trust this folder first.'));
    const choice = readChoices(second);
    const row = target instanceof Uri || typeof target === 'string' ? undefined : targetId(target);
    const { folder } = await sourceOf(row === undefined ? rootOf(target) : undefined, []);
    if (folder.scheme !== 'file') throw new Error(l10n.t('{0} is not a folder of this computer, so git here cannot use it.', folder.toString(true)));
    const inFolder = new Git(folder.fsPath, await gitProgram());
    const here = await repositoryHere(inFolder);
    const git = inFolder.in(here.top);
    // A remote is the whole repository's; the folder may be a part of it.
    const top = here.below === '' ? folder : Uri.file(here.top);
    const mapping = parts.mappings.of(top);
    const last = parts.activePod.id === undefined ? parts.store.find(mapping?.podId ?? '') : undefined;
    const pod = await targets.forUse(row ?? choice.pod ?? last?.id, l10n.t('Which pod is to be a git remote?'), (p) => p.status === 'RUNNING');
    if (choice.name !== undefined) await requireRemoteName(git, choice.name);
    const { alias } = await aliases.ready(pod, choice.confirmed);
    const added = await withPatience(l10n.t('Adding {0} as a git remote', pod.name), async (report, signal) => {
      report({ message: l10n.t('looking at the pod…') });
      const session = parts.sessions.get(pod.id);
      const link = await session.link(signal);
      const mount = await mountPath(session, signal);
      let path = onPod(mount, choice.destination ?? mapping?.destination ?? folderName(top));
      const look = (): Promise<PlaceThere> =>
        lookThere(link, path, signal).catch((error: unknown) => {
          throw error instanceof GitError ? new GitError(error.code, { ...error.facts, podId: pod.id }, { cause: error }) : error;
        });
      let there = await look();
      for (; await isAnother(git, here, there); there = await look()) path = await elsewhere(path, pod, choice);
      report({ message: l10n.t('preparing the repository…') });
      if (there.kind !== 'bare') await makeThere(link, path, here, signal);
      const url = remoteUrl(pod.id, path);
      report({ message: l10n.t('asking git…') });
      await reachRemote(git, url, signal);
      const name = await addRemote(git, url, remoteName(alias), choice, (id) => parts.store.state.phase === 'ready' && parts.store.find(id) === undefined);
      if (there.commit !== undefined) await git.do(['fetch', '--quiet', '--', name], { deadlineMs: 600_000, signal });
      return { name, url, path, there };
    });
    gone.remember({ folder: here.top, name: added.name, url: added.url, podId: pod.id, podName: pod.name });
    await refreshSourceControl(top);
    if (!choice.given) void tell(git, here, pod, added).catch(showError);
    return { name: added.name, url: added.url, path: added.path };
  }

  return [gone, command('runpod.addGitRemote', parts.log, add)];
}

/** Adds the remote under a name that is free. One that leads there already is it; one of ours whose pod is gone gives its name. */
async function addRemote(git: Git, url: string, usual: string, choice: RemoteChoices, isGone: (podId: string) => boolean): Promise<string> {
  const remotes = await remotesOf(git);
  const same = remotes.find((remote) => remote.url === url && (choice.name === undefined || remote.name === choice.name));
  if (same !== undefined) return same.name;
  const wanted = choice.name ?? usual;
  const taken = remotes.find((remote) => remote.name === wanted);
  const left = taken && podOfUrl(taken.url);
  if (taken !== undefined && left !== undefined && isGone(left)) {
    await git.do(['remote', 'set-url', '--', wanted, url]);
    return wanted;
  }
  if (taken !== undefined && choice.name !== undefined) throw new GitError('name-taken', { name: wanted });
  const name = taken === undefined ? wanted : choice.given ? freeName(wanted, remotes) : await askName(git, wanted, taken, remotes);
  await git.do(['remote', 'add', '--', name, url]);
  return name;
}

async function askName(git: Git, wanted: string, taken: GitRemote, remotes: readonly GitRemote[]): Promise<string> {
  const name = await ask.text({
    title: l10n.t('Add Pod as Git Remote'),
    prompt: l10n.t('There is a remote {0}, which leads to {1}. How shall this one be called?', wanted, taken.url),
    value: freeName(wanted, remotes),
    validateInput: async (text) => {
      if (remotes.some((remote) => remote.name === text)) return l10n.t('There is a remote of that name.');
      return requireRemoteName(git, text).then(() => undefined, () => l10n.t('git takes no such name.'));
    },
  });
  if (name === undefined) throw new CancelledError();
  return name;
}

/** Cut-off histories, and one that has not begun, can be anything's. */
const isAnother = async (git: Git, here: RepositoryHere, there: PlaceThere): Promise<boolean> => here.commit !== undefined && !here.shallow && there.roots.length > 0 && !(await sharesHistory(git, there));

/** Two projects of one name: what is on the pod stays, and this one goes beside it, if the person wants. */
async function elsewhere(path: string, pod: Pod, choice: RemoteChoices): Promise<string> {
  if (choice.given) throw new GitError('other-history', { folder: path });
  const chosen = await ask.text({
    title: l10n.t('Add Pod as Git Remote'),
    prompt: l10n.t('The repository in {0} on {1} has another history than this one. In which folder of the pod shall this one lie?', path, pod.name),
    value: `${path}-2`,
    validateInput: (text) => (!text.startsWith('/') ? l10n.t('A path on a pod begins with “/”.') : text === path ? l10n.t('That is the folder with the other history.') : undefined),
  });
  if (chosen === undefined) throw new CancelledError();
  return chosen.replace(/\/+$/, '');
}

async function tell(git: Git, here: RepositoryHere, pod: Pod, { name, path, there }: AddedRemote & { readonly there: PlaceThere }): Promise<void> {
  const { branch } = here;
  const remarks = [
    l10n.t('{0} is the git remote {1}: {2}.', pod.name, name, path),
    ...(there.kind === 'files' ? [l10n.t('The files that lie there stay; a push takes those that are the same and refuses to go over others, by name.')] : []),
    ...(there.commit !== undefined && there.branch !== undefined && branch !== undefined && there.branch !== branch ? [l10n.t('{0} is checked out there, so a push of {1} does not change the files.', there.branch, branch)] : []),
    ...(here.commit === undefined ? [l10n.t('There is no commit to push yet.')] : []),
  ];
  const push = branch !== undefined && here.commit !== undefined ? l10n.t('Push {0}', branch) : undefined;
  const answer = await notice.inform(remarks.join(' '), ...(push === undefined ? [] : [push]));
  if (answer === undefined || branch === undefined) return;
  await pushBranch(git, { name, branch, pod, path });
  await refreshSourceControl(Uri.file(here.top));
}

/** What the Source Control view hands over is the repository; the rest is as everywhere. */
const rootOf = (target: unknown): unknown => (typeof target === 'object' && target !== null && 'rootUri' in target && target.rootUri instanceof Uri ? target.rootUri : target);

function readChoices(value: unknown): RemoteChoices {
  const given = choices(value);
  const text = (name: string): string | undefined => {
    const one = given?.[name];
    return typeof one === 'string' && one !== '' ? one : undefined;
  };
  return { given: given !== undefined, pod: text('pod'), destination: text('destination'), name: text('name'), confirmed: given?.['confirmed'] === true };
}

import { FileType, l10n, Uri, workspace, type WorkspaceFolder } from 'vscode';
import { CancelledError } from '../../base/errors';
import type { ProfileProblem } from '../../pods/profile/problems';
import type { NamedProfile } from '../../pods/profile/asked';
import type { ReadProfiles } from '../../pods/profile/read';
import { ask } from '../prompts/ask';

export const PROFILE_FILE = 'runpod.json';

/** A folder whose profiles cannot be used before they are mended; the places are in the Problems panel. */
export class ProfileFileError extends Error {
  override readonly name = 'ProfileFileError';
  constructor(
    readonly uri: Uri,
    readonly problem: ProfileProblem,
    message: string,
  ) {
    super(message);
  }
}

/** A folder that has not been trusted: nothing of its profiles is used there. */
export class UntrustedFolderError extends Error {
  override readonly name = 'UntrustedFolderError';
}

export interface FolderProfiles extends ReadProfiles {
  readonly folder: WorkspaceFolder;
  readonly uri: Uri;
  readonly text: string;
}

/** The folders of this window that hold a `runpod.json`; none in an untrusted window. */
export async function foldersWithProfiles(): Promise<WorkspaceFolder[]> {
  if (!workspace.isTrusted) return [];
  const found = await Promise.all((workspace.workspaceFolders ?? []).map(async (folder) => ((await isFile(Uri.joinPath(folder.uri, PROFILE_FILE))) ? [folder] : [])));
  return found.flat();
}

const isFile = (uri: Uri): Promise<boolean> => Promise.resolve(workspace.fs.stat(uri).then((s) => (s.type & FileType.File) !== 0, () => false));

/** What stands in the folder's `runpod.json`, unsaved changes included, with the defaults of its `devcontainer.json`. */
export async function readFolder(folder: WorkspaceFolder): Promise<FolderProfiles> {
  if (!workspace.isTrusted) throw new UntrustedFolderError(l10n.t('The profiles of an untrusted folder are not used. Trust {0} first.', folder.name));
  const [{ readProfiles }, { profileFromDevcontainer, withDefaults, DEVCONTAINER_FILES }] = await Promise.all([import('../../pods/profile/read'), import('../../pods/profile/devcontainer')]);
  const uri = Uri.joinPath(folder.uri, PROFILE_FILE);
  const text = await textOf(uri);
  const read = readProfiles(text ?? '');
  let defaults = {};
  for (const path of DEVCONTAINER_FILES) {
    const found = await textOf(Uri.joinPath(folder.uri, path));
    if (found === undefined) continue;
    defaults = profileFromDevcontainer(found);
    break;
  }
  return { ...read, profiles: read.profiles.map(({ key, profile }) => ({ key, profile: withDefaults(profile, defaults) })), folder, uri, text: text ?? '' };
}

async function textOf(uri: Uri): Promise<string | undefined> {
  const open = workspace.textDocuments.find((d) => d.uri.toString() === uri.toString());
  if (open) return open.getText();
  return workspace.fs.readFile(uri).then((bytes) => new TextDecoder().decode(bytes), () => undefined);
}

/** The folder a command is about: the one named, the only one with profiles, or the person's choice. */
export async function pickFolder(given?: Uri): Promise<WorkspaceFolder> {
  if (!workspace.isTrusted) throw new UntrustedFolderError(l10n.t('The profiles of an untrusted folder are not used. Trust this folder first.'));
  const named = given && workspace.getWorkspaceFolder(given);
  if (named) return named;
  // Another folder's pod is not what was asked for.
  if (given) throw new Error(l10n.t('{0} is in no folder that is open in this window.', given.fsPath));
  const folders = await foldersWithProfiles();
  if (folders.length === 0) throw new Error(l10n.t('No folder of this window has a {0}.', PROFILE_FILE));
  if (folders.length === 1 && folders[0]) return folders[0];
  const picked = await ask.oneOf(folders.map((folder) => ({ label: folder.name, description: folder.uri.fsPath, folder })), { placeHolder: l10n.t('Profiles of which folder?') });
  if (!picked) throw new CancelledError();
  return picked.folder;
}

/** @throws ProfileFileError at the first thing that is wrong; CancelledError */
export async function pickProfile(read: FolderProfiles, wanted: string | undefined, words: (p: ProfileProblem) => string): Promise<NamedProfile> {
  const first = read.problems[0];
  if (first) throw new ProfileFileError(read.uri, first, l10n.t('{0} cannot be used: {1}', PROFILE_FILE, words(first)));
  if (wanted !== undefined) {
    const found = read.profiles.find((p) => p.key === wanted);
    if (!found) throw new Error(l10n.t('There is no profile "{0}". There is: {1}.', wanted, read.profiles.map((p) => p.key ?? PROFILE_FILE).join(', ')));
    return found;
  }
  const [only, ...more] = read.profiles;
  if (only && more.length === 0) return only;
  const picked = await ask.oneOf(
    read.profiles.map((p) => ({ label: p.key ?? '', description: summaryOf(p), profile: p })),
    { placeHolder: l10n.t('Which profile of {0}?', PROFILE_FILE) },
  );
  if (!picked) throw new CancelledError();
  return picked.profile;
}

/** `RTX 4090, ADA_24 · runpod/pytorch:…` */
export function summaryOf({ profile }: NamedProfile): string {
  const gpu = profile.gpu === undefined ? '' : typeof profile.gpu === 'string' ? profile.gpu : profile.gpu.join(', ');
  const cpu = profile.cpu === undefined ? '' : typeof profile.cpu === 'string' ? profile.cpu : `${profile.cpu.flavor}-${profile.cpu.vcpus}`;
  const count = (profile.gpuCount ?? 1) > 1 ? `${profile.gpuCount}× ` : '';
  return [`${count}${gpu || cpu}`, profile.image ?? profile.templateId].filter(Boolean).join(' · ');
}

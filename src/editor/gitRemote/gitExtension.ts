import { extensions, type Uri } from 'vscode';

/** What we use of the editor's own git extension. */
interface GitExtension {
  readonly enabled: boolean;
  getAPI(version: 1): {
    readonly git: { readonly path: string };
    getRepository(uri: Uri): { status(): Promise<void> } | null;
  };
}

async function api(): Promise<ReturnType<GitExtension['getAPI']> | undefined> {
  try {
    const git = await extensions.getExtension<GitExtension>('vscode.git')?.activate();
    return git?.enabled === true ? git.getAPI(1) : undefined;
  } catch {
    // Switched off, or without a git: ours says what is missing.
    return undefined;
  }
}

/** The git program that the editor uses, which a person can choose. */
export const gitProgram = async (): Promise<string> => (await api())?.git.path ?? 'git';

/** Has the Source Control view look again. */
export async function refreshSourceControl(folder: Uri): Promise<void> {
  await (await api())?.getRepository(folder)?.status();
}

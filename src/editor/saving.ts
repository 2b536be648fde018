import { l10n, workspace, type Uri } from 'vscode';

/** Saves what is open and unsaved in a folder, for a run sees only what is on the disk. */
export async function saveBelow(folder: Uri): Promise<void> {
  const root = folder.path.replace(/\/+$/, '');
  const open = [...workspace.textDocuments, ...workspace.notebookDocuments];
  for (const document of open) {
    const { scheme, authority, path } = document.uri;
    const inside = scheme === folder.scheme && authority === folder.authority && (path === root || path.startsWith(`${root}/`));
    if (inside && document.isDirty && !(await document.save())) throw new Error(l10n.t('{0} could not be saved, so it was not sent.', document.uri.path.slice(document.uri.path.lastIndexOf('/') + 1)));
  }
}

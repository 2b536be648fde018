import { Uri, type ExtensionContext } from 'vscode';

/** Our mark for a page's tab. A tab shows a picture as it is, so there is one for each kind of theme. */
export const pageIcon = ({ extensionUri }: Pick<ExtensionContext, 'extensionUri'>): { readonly light: Uri; readonly dark: Uri } => ({
  light: Uri.joinPath(extensionUri, 'media', 'runpod.svg'),
  dark: Uri.joinPath(extensionUri, 'media', 'runpod-dark.svg'),
});

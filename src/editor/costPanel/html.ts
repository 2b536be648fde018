import { randomBytes } from 'node:crypto';
import { env, type Uri, type Webview } from 'vscode';

/**
 * The page: one script of ours, known by a nonce, and nothing else. No network (`connect-src` falls to 'none'), no
 * inline styles (the script brings its style sheet itself), no images, no frames.
 */
export function panelHtml(webview: Webview, script: Uri, title: string): string {
  const nonce = randomBytes(18).toString('base64');
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="${escape(env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
</head>
<body>
<main id="main"></main>
<script nonce="${nonce}" src="${escape(webview.asWebviewUri(script).toString())}"></script>
</body>
</html>`;
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

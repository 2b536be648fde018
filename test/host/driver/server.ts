import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../setup/root.mjs';
import { nodeBinary, serverMain } from '../../setup/cache.mjs';
import { startUntil, type Child } from './child';

export interface ServerOptions {
  /** Holds settings, extension state and logs; the same folder again brings them back. */
  readonly dataDir: string;
  /** Each extension is a folder in it, named `publisher.name-version`. */
  readonly extensionsDir: string;
  /** 0: any free port. */
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  readonly log: string;
  /** Opened by the plain address. */
  readonly folder?: string;
  /** Lets extension tests run and their end be seen from the page. */
  readonly automation?: boolean;
  /** Folders are not trusted until somebody says so. */
  readonly askForTrust?: boolean;
}

/** VS Code's own server: the editor in the browser, with a Node extension host. */
export interface EditorServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  readonly child: Child;
}

/** The name of our extension's folder among installed ones. */
export function extensionFolderName(): string {
  const { publisher, name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<'publisher' | 'name' | 'version', string>;
  return `${publisher}.${name}-${version}`;
}

/** Where a server with this data folder reads the settings of the machine from, also while it runs. */
export const machineSettingsFile = (dataDir: string): string => join(dataDir, 'data', 'Machine', 'settings.json');

export async function startEditorServer(options: ServerOptions): Promise<EditorServer> {
  const { child, value: port } = await startUntil(nodeBinary(), [
    serverMain(),
    '--host', '127.0.0.1', '--port', String(options.port), '--without-connection-token', '--accept-server-license-terms',
    '--server-data-dir', options.dataDir, '--extensions-dir', options.extensionsDir,
    '--telemetry-level', 'off',
    ...(options.askForTrust ? [] : ['--disable-workspace-trust']),
    ...(options.folder === undefined ? [] : ['--default-folder', options.folder]),
    ...(options.automation ? ['--enable-smoke-test-driver'] : []),
  ], { env: options.env, log: options.log }, portIn);
  return { port, url: `http://127.0.0.1:${port}/`, child };
}

function portIn(line: string): number | undefined {
  const match = /listening on (\d+)/.exec(line);
  return match === null ? undefined : Number(match[1]);
}

/** A calm window: nothing that phones out, advertises, or moves by itself. */
export const calmSettings: Readonly<Record<string, unknown>> = {
  'chat.disableAIFeatures': true,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.editor.useModal': 'off',
  'workbench.enableExperiments': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'remote.autoForwardPorts': false,
  'npm.fetchOnlinePackageInfo': false,
  'json.schemaDownload.enable': false,
  // As on the desktop; in the browser it would be after a delay.
  'files.autoSave': 'off',
};

import { env, ExtensionKind, extensions, workspace, type ConfigurationScope, type WorkspaceConfiguration } from 'vscode';
import type { Thresholds } from '../pods/thresholds';
import type { GuardUrls } from '../pods/guard/args';
import type { ProxySettings } from '../runpod/proxy';

export const EXTENSION = 'runpod-workspaces.runpod-workspaces';

/** The settings of the manifest, read at the moment of use. */
export const settings = {
  restUrl: (): string => read('api.restUrl', 'https://api.runpod.io/v2'),
  graphqlUrl: (): string => read('api.graphqlUrl', 'https://api.runpod.io/graphql'),
  identityFiles: (): readonly string[] => read<readonly string[]>('ssh.identityFiles', []),
  interpreters: (scope?: ConfigurationScope): Readonly<Record<string, string>> =>
    workspace.getConfiguration('runpod', scope).get<Record<string, string>>('run.interpreters') ?? {},
  /** Whether files of a folder that was pushed go to its pod when they are saved. */
  uploadOnSave: (scope: ConfigurationScope): boolean => workspace.getConfiguration('runpod', scope).get<boolean>('sync.uploadOnSave') === true,
  /** A run that took less is over before anybody has looked away. */
  tellAfterMs: (): number => read('run.tellAfterSeconds', 60) * 1000,
  /** What a run leaves behind that is wanted here, as patterns below its folder. */
  results: (scope?: ConfigurationScope): readonly string[] => workspace.getConfiguration('runpod', scope).get<string[]>('run.results') ?? [],
  /** When to tell about money; see `Thresholds`. */
  thresholds: (): Thresholds => ({
    balanceUsd: read('alerts.balanceBelow', 5),
    runwayMs: read('alerts.runwayBelowHours', 6) * 3_600_000,
    runningMs: read('alerts.runningHours', 12) * 3_600_000,
  }),
  /** The editor's own proxy settings and the variables of its environment. */
  proxy: (): ProxySettings => {
    const http = workspace.getConfiguration('http');
    const url = ofThisMachine<string>(http, 'proxy');
    const authorization = ofThisMachine<string>(http, 'proxyAuthorization');
    return {
      ...(url ? { url } : {}),
      ...(authorization ? { authorization } : {}),
      // Where nobody can tell whose setting it is, certificates are checked: a proxy of the remote's could read the key else.
      strictSsl: ofThisMachine<boolean>(http, 'proxyStrictSSL') ?? true,
      systemCertificates: ofThisMachine<boolean>(http, 'systemCertificates') ?? true,
      noProxy: ofThisMachine<string[]>(http, 'noProxy') ?? [],
      env: process.env,
    };
  },
};

/**
 * Whether we run beside the window and not on its machine, as in a remote window of the desktop editor: the files of its folders
 * are not of this computer, and what the remote's settings file says goes before the person's own.
 */
export const besideRemoteWindow = (): boolean => env.remoteName !== undefined && extensions.getExtension(EXTENSION)?.extensionKind === ExtensionKind.UI;

/** A setting of the machine that we run on: a remote has no say in how this machine reaches RunPod. */
function ofThisMachine<T>(section: WorkspaceConfiguration, key: string): T | undefined {
  if (!besideRemoteWindow()) return section.get<T>(key);
  // The editor tells them apart, though its declarations do not say so.
  const told: { readonly globalLocalValue?: T; readonly defaultValue?: T } | undefined = section.inspect<T>(key);
  return told?.globalLocalValue ?? told?.defaultValue;
}

function read<T>(key: string, fallback: T): T {
  return workspace.getConfiguration('runpod').get<T>(key) ?? fallback;
}

/** Where the guards on the pods ask: the addresses that this editor itself uses. */
export const guardUrls = (): GuardUrls => ({ rest: settings.restUrl(), graphql: settings.graphqlUrl() });

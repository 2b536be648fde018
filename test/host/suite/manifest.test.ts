import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { COMMANDS } from '../../../src/editor/ids';

interface Manifest {
  readonly extensionKind: string[];
  readonly capabilities: { untrustedWorkspaces: { supported: unknown; restrictedConfigurations?: string[] }; virtualWorkspaces: unknown };
  readonly contributes: {
    readonly commands: { command: string; title: string }[];
    readonly configuration: { properties: Record<string, { scope?: string; markdownDescription?: string }> };
    readonly submenus: { id: string }[];
    readonly menus: Record<string, { command?: string; submenu?: string; when?: string; group?: string }[]>;
  };
}

describe('the manifest', () => {
  const manifest = (): Manifest => vscode.extensions.getExtension('runpod-workspaces.runpod-workspaces')?.packageJSON as Manifest;

  it('names the commands of the code, no more and no fewer', () => {
    assert.deepEqual(manifest().contributes.commands.map((c) => c.command).sort(), [...COMMANDS].sort());
  });

  it('uses only commands and submenus that exist in its menus', () => {
    const { menus, submenus } = manifest().contributes;
    for (const [menu, items] of Object.entries(menus))
      for (const { command, submenu } of items) assert.ok(command === undefined ? submenus.some(({ id }) => id === submenu) : (COMMANDS as readonly string[]).includes(command), `${menu}: ${command ?? submenu}`);
  });

  it('offers the files of a pod only where they can be reached', () => {
    const { menus } = manifest().contributes;
    const ofFiles = ['openFolder', 'openReadOnly', 'searchOnPod', 'goToFileOnPod', 'uploadToPod', 'downloadFromPod', 'syncStatus', 'push', 'pull'].map((name) => `runpod.${name}`);
    for (const menu of ['view/item/context', 'runpod.podFiles'])
      for (const { command, when } of menus[menu] ?? []) if (ofFiles.includes(command ?? '') && /\^\(?pod/.test(when ?? '')) assert.match(when ?? '', /direct/, `${menu}: ${command}`);
  });

  it('has no more in a pod’s menu than a small window shows', () => {
    const shown = manifest().contributes.menus['view/item/context']?.filter(({ when, group }) => /\/\^\(?pod/.test(when ?? '') && !group?.startsWith('inline')) ?? [];
    // As many as a running pod has at most, and those of a stopped one.
    assert.ok(shown.length <= 24, `${shown.length}`);
  });

  it('keeps what could redirect a key out of a folder’s reach', () => {
    const { properties } = manifest().contributes.configuration;
    for (const name of ['runpod.api.restUrl', 'runpod.api.graphqlUrl', 'runpod.ssh.identityFiles']) assert.equal(properties[name]?.scope, 'machine', name);
    // What a folder's settings could make run, leave this computer or arrive on it.
    for (const name of ['runpod.run.interpreters', 'runpod.run.results', 'runpod.sync.uploadOnSave']) assert.ok(manifest().capabilities.untrustedWorkspaces.restrictedConfigurations?.includes(name), name);
    assert.equal(manifest().capabilities.untrustedWorkspaces.supported, 'limited');
    assert.equal(manifest().capabilities.virtualWorkspaces, true);
    assert.deepEqual(manifest().extensionKind, ['ui', 'workspace']);
  });

  it('leaves no placeholder without words', () => {
    assert.doesNotMatch(JSON.stringify(manifest()), /"%[\w.]+%"/);
  });
});

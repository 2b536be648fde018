import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('the extension in its host', () => {
  it('is installed under its name and activates', async () => {
    const extension = vscode.extensions.getExtension('runpod-workspaces.runpod-workspaces');
    assert.ok(extension, 'not found among the installed extensions');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('registers every command that its manifest names', async () => {
    const extension = vscode.extensions.getExtension('runpod-workspaces.runpod-workspaces');
    assert.ok(extension);
    await extension.activate();
    const manifest = extension.packageJSON as { contributes?: { commands?: { command: string }[] } };
    const named = (manifest.contributes?.commands ?? []).map(({ command }) => command);
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(named.filter((command) => !registered.has(command)), []);
  });

  it('finds the account of the simulator in its environment and settings', () => {
    const simulator = JSON.parse(process.env['RUNPOD_SIMULATOR'] ?? '{}') as { restUrl?: string; apiKey?: string };
    assert.ok(simulator.restUrl);
    assert.equal(process.env['RUNPOD_API_KEY'], simulator.apiKey);
  });
});

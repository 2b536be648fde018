import assert from 'node:assert/strict';
import Module from 'node:module';
import { hostname } from 'node:os';
import * as nodePath from 'node:path';
import type { Uri } from 'vscode';
import type { machineName } from '../../src/editor/runSource';
import type { pathHere } from '../../src/editor/transfer/arguments';
import type { pathBelow } from '../../src/editor/sync/localFolder';

interface Loader {
  _load: (this: unknown, request: string, ...rest: unknown[]) => unknown;
}

/** As much of the editor's addresses as is asked for here. */
class Address {
  constructor(
    readonly scheme: string,
    readonly path: string,
  ) {}
  static file(path: string): Address {
    const slashes = path.replaceAll('\\', '/');
    return new Address('file', slashes.startsWith('/') ? slashes : `/${slashes}`);
  }
  get fsPath(): string {
    return nodePath.posix.normalize(this.path);
  }
  toString(): string {
    return `${this.scheme}://${this.path}`;
  }
}

const world = { kind: 1, machineId: 'one-computer' };
const editor = {
  ExtensionKind: { UI: 1, Workspace: 2 },
  env: {
    get machineId() {
      return world.machineId;
    },
  },
  extensions: { getExtension: () => ({ extensionKind: world.kind }) },
  FileType: { Directory: 2, File: 1, SymbolicLink: 64 },
  Uri: Address,
  l10n: { t: (text: string, ...values: unknown[]) => text.replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)])) },
  workspace: {},
};

describe('files of this computer, and of the machine of a remote window', () => {
  let modules: { machineName: typeof machineName; pathHere: typeof pathHere; pathBelow: typeof pathBelow };
  const at = (scheme: string, path: string): Uri => new Address(scheme, path) as unknown as Uri;

  before(async () => {
    const loader = Module as unknown as Loader;
    const real = loader._load;
    loader._load = function (request, ...rest) {
      return request === 'vscode' ? editor : real.call(this, request, ...rest);
    };
    try {
      modules = { ...(await import('../../src/editor/transfer/arguments')), ...(await import('../../src/editor/sync/localFolder')), ...(await import('../../src/editor/runSource')) };
    } finally {
      loader._load = real;
    }
  });

  it('are told apart: the same path here would be another file', () => {
    const there = at('vscode-remote', '/home/user/model.bin');
    const beside = true;
    assert.throws(() => modules.pathHere(there, beside), /\/home\/user\/model\.bin is on the machine of this window/);
    assert.equal(modules.pathHere(at('file', '/home/user/model.bin'), beside), '/home/user/model.bin');
    // In the browser, and wherever else the extension runs on that machine, it is this one.
    assert.equal(modules.pathHere(there, !beside), '/home/user/model.bin');
    assert.throws(() => modules.pathHere(at('untitled', 'x'), !beside), /not a file of this computer/);
  });

  it('are known again when the computer’s name has changed with the network', () => {
    const mine = modules.machineName();
    assert.equal(modules.machineName(), mine);
    for (const told of [world.machineId, hostname()]) assert.ok(!mine.includes(told), 'a pod need not know it');
    world.machineId = 'another-computer';
    assert.notEqual(modules.machineName(), mine);
    // On a server the editor's id is that of whoever looks at it.
    world.kind = 2;
    assert.equal(modules.machineName(), hostname());
  });

  it('lie below a folder however a drive and, on Windows and macOS, a name is written', () => {
    const below = (folder: string, file: string, platform: NodeJS.Platform, scheme = 'file'): string | undefined => modules.pathBelow(at(scheme, folder), at(scheme, file), platform);
    assert.equal(below('/c:/Work/llama', '/C:/work/llama/src/Train.py', 'win32'), 'src/Train.py');
    assert.equal(below('/Users/x/llama/', '/Users/x/Llama', 'darwin'), '');
    assert.equal(below('/c:/', '/C:/train.py', 'win32'), 'train.py');
    assert.equal(below('/work/llama', '/work/Llama/train.py', 'linux'), undefined);
    assert.equal(below('/work/llama', '/work/Llama/train.py', 'win32', 'vscode-remote'), undefined, 'a remote machine has its own rules');
    assert.equal(below('/work/llama', '/work/llama-2/train.py', 'darwin'), undefined);
    assert.equal(below('/', '/train.py', 'linux'), 'train.py');
  });
});

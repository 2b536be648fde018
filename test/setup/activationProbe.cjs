// Activates the bundle named by its argument with a stand-in for the editor, and writes as JSON what that did:
// { loaded: modules required, touched: I/O calls until activate() was done, loadMs, activateMs, cpuMs: processor time of both }.
const Module = require('node:module');
const { performance } = require('node:perf_hooks');
const { dirname, join } = require('node:path');

const loaded = [];
const touched = [];
let watching = false;

/** Records calls of everything in a module that reaches the world. */
function spy(name, object, pick = () => true) {
  for (const key of Object.keys(object)) {
    const original = object[key];
    if (typeof original !== 'function' || /^[A-Z]/.test(key) || !pick(key)) continue;
    object[key] = function (...args) {
      if (watching) touched.push(`${name}.${key}(${typeof args[0] === 'string' ? args[0] : ''})`);
      return Reflect.apply(original, this, args);
    };
  }
}
for (const name of ['fs', 'fs/promises', 'child_process']) spy(name, require(`node:${name}`));
for (const name of ['http', 'https']) spy(name, require(`node:${name}`), (key) => /^(request|get|createServer)$/.test(key));
for (const name of ['net', 'tls']) spy(name, require(`node:${name}`), (key) => /^(connect|createConnection|createServer)$/.test(key));
spy('dns', require('node:dns'), (key) => /^(lookup|resolve)/.test(key));
const { fetch } = globalThis;
globalThis.fetch = (...args) => {
  if (watching) touched.push(`fetch(${String(args[0])})`);
  return fetch(...args);
};

/** Stands for anything of the editor: callable, constructible, with every property. */
const anything = new Proxy(function () {}, {
  get(target, key) {
    if (key === 'then') return undefined;
    if (key === Symbol.toPrimitive) return () => '';
    if (key === Symbol.iterator) return () => [][Symbol.iterator]();
    // What a class of ours that extends it needs.
    if (key === 'prototype') return target.prototype;
    return anything;
  },
  set: () => true,
  apply: () => anything,
  construct: (_target, _args, newTarget) => new Proxy(Object.create(newTarget.prototype ?? null), {
    get: (object, key, receiver) => (Reflect.has(object, key) ? Reflect.get(object, key, receiver) : key === 'then' ? undefined : anything),
  }),
});
const configuration = { get: (_key, otherwise) => otherwise, inspect: () => undefined, has: () => false, update: async () => {} };
const memory = { get: (_key, otherwise) => otherwise, update: async () => {}, keys: () => [], setKeysForSync() {} };
const editor = new Proxy({}, {
  get(_target, area) {
    if (area !== 'workspace') return anything;
    return new Proxy({}, { get: (_t, key) => (key === 'getConfiguration' ? () => configuration : key === 'workspaceFolders' ? undefined : anything) });
  },
});
const folder = (...names) => {
  const path = join(dirname(dirname(process.argv[2])), ...names);
  return { scheme: 'file', authority: '', path, fsPath: path, query: '', fragment: '', toString: () => `file://${path}` };
};
const given = {
  subscriptions: [],
  globalState: memory,
  workspaceState: memory,
  extensionPath: folder().fsPath,
  extensionUri: folder(),
  globalStorageUri: folder('storage', 'global'),
  storageUri: folder('storage', 'workspace'),
  logUri: folder('storage', 'logs'),
  asAbsolutePath: (path) => folder(path).fsPath,
  extension: { id: 'runpod-workspaces.runpod-workspaces', packageJSON: require(join(folder().fsPath, 'package.json')) },
};
const context = new Proxy(given, { get: (target, key) => (key in target ? target[key] : anything) });

const load = Module._load;
Module._load = function (request, ...rest) {
  if (request === 'vscode') return editor;
  loaded.push(request);
  return Reflect.apply(load, this, [request, ...rest]);
};

(async () => {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const extension = require(process.argv[2]);
  const ready = performance.now();
  watching = true;
  await extension.activate(context);
  watching = false;
  const activateMs = performance.now() - ready;
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(JSON.stringify({ loaded, touched, loadMs: ready - start, activateMs, cpuMs: (user + system) / 1000 }));
  process.exit(0);
})();

import { parseArgs } from 'node:util';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../src/base/errors';
import type { Mode } from './hosts';
import { startSimulator, type Simulator } from './simulator';
import { whenParentIsGone } from './parent';

const LONGEST_END_MS = 8000;

const usage = `RunPod on one machine, for development and tests.

  npm run -s simulator -- [options]

  --json             print one line of JSON with the addresses and the API key
  --port <n>         port of the API on 127.0.0.1 (default 0: any free one)
  --speed <n>        pod time per wall time (default 1)
  --state <dir>      keep the pods' volumes there (default: a fresh folder, removed at the end)
  --empty            no pods at the start
  --mode <m>         full | plain | none: machines of the pods (default: the best this computer allows)
  --api-key <key>    the account's key (default: a new one)
  --public-key <f>   file of a public key that the account's pods let in; may be repeated
  --help`;

function readOptions(): { json: boolean; options: Parameters<typeof startSimulator>[0] } {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
      speed: { type: 'string', default: '1' },
      state: { type: 'string' },
      empty: { type: 'boolean', default: false },
      mode: { type: 'string' },
      'api-key': { type: 'string' },
      'public-key': { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const { mode, state, 'api-key': apiKey } = values;
  if (mode !== undefined && !['full', 'plain', 'none'].includes(mode)) throw new Error(`--mode: full, plain or none, not ${mode}`);
  return {
    json: values.json,
    options: {
      port: Number(values.port),
      speed: Number(values.speed),
      empty: values.empty,
      publicKeys: values['public-key'].map((file) => readFileSync(file, 'utf8').trim()),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(state === undefined ? {} : { stateDir: state }),
      ...(mode === undefined ? {} : { mode: mode as Mode }),
    },
  };
}

function announce(simulator: Simulator, json: boolean): void {
  const { restUrl, graphqlUrl, apiKey, controlUrl, mode, accountKey } = simulator;
  if (json) {
    console.log(JSON.stringify({ restUrl, graphqlUrl, apiKey, controlUrl, mode, sshKey: accountKey.path }));
    return;
  }
  const pods = [...simulator.world.pods.values()].map((pod) => `  ${pod.name.padEnd(12)} ${pod.status}`);
  console.log(
    [
      'A simulated RunPod is up. Ctrl-C ends it and everything in it.',
      '',
      `  REST v2   ${restUrl}`,
      `  GraphQL   ${graphqlUrl}`,
      `  API key   ${apiKey}`,
      `  SSH key   ${accountKey.path}`,
      `  control   ${controlUrl}`,
      '',
      ...pods,
    ].join('\n'),
  );
}

async function main(): Promise<void> {
  const { json, options } = readOptions();
  const starting = startSimulator(options);
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    void starting.then((simulator) => simulator.close()).finally(() => process.exit(0));
    // Whatever hangs, nothing outlives this by long; the pods die with the process.
    setTimeout(() => process.exit(1), LONGEST_END_MS).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  whenParentIsGone(end);
  const simulator = await starting;
  if (!ending) announce(simulator, json);
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(1);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { describe, it } from 'mocha';
import { minutesOf } from '../../../src/pods/profile/duration';
import { readProfiles } from '../../../src/pods/profile/read';
import { profileJsonSchema } from '../../../src/pods/profile/schema';
import { root } from '../../setup/root.mjs';

/** Every problem as `code at «what is marked»: what may stand there`. */
function told(text: string): string[] {
  return readProfiles(text).problems.map((p) => [`${p.code} «${text.slice(p.offset, p.offset + p.length)}»`, p.permitted?.join(', ') ?? p.limit ?? p.other ?? p.detail].filter((x) => x !== undefined).join(': '));
}

const everything = `{
  // what a folder asks of a pod
  "image": "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
  "gpu": ["RTX 4090", "ADA_24", "≥ 24 GB under $0.60"],
  "gpuCount": 2, "minCudaVersion": "12.8", "minRamPerGpu": 32, "minVcpuPerGpu": 8,
  "cloud": ["SECURE", "COMMUNITY"], "dataCenterIds": ["US-KS-2", "XX-NEW-1"],
  "disk": 40, "volume": 100, "mountPath": "/workspace",
  "ports": ["8888/http", "5000/tcp"],
  "env": { "HF_HOME": "/workspace/hf", "WHO": "\${env:USER}" },
  "secrets": { "HF_TOKEN": { "from": "environment" }, "WANDB_API_KEY": { "from": "runpod", "name": "wandb", "required": false } },
  "args": "", "registry": "reg1", "startJupyter": true, "setup": "pip install -e .",
  "maxPricePerHour": 1.5, "timeLimit": "4h", "idleStop": "30m", "budget": 5, "atLimit": "stop",
  "results": ["outputs/", "*.csv"], "resultsWhileRunning": true, "afterRun": "stop",
}`;

describe('runpod.json', () => {
  it('is JSON with comments and trailing commas', () => {
    const { profiles, problems } = readProfiles(everything);
    assert.deepEqual(problems, []);
    assert.equal(profiles.length, 1);
    assert.equal(profiles[0]?.key, undefined);
    assert.equal(profiles[0]?.profile.gpuCount, 2);
  });

  it('holds several profiles, which inherit what stands at the top', () => {
    const { profiles, problems } = readProfiles(`{
      "image": "a:1", "gpu": "L4", "env": { "A": "1", "B": "1" }, "timeLimit": "4h",
      "profiles": { "train": { "gpu": ["H100"], "env": { "B": "2" } }, "prep": { "cpu": "cpu3c-2-4", "templateId": "t" } }
    }`);
    assert.deepEqual(problems, []);
    assert.deepEqual(profiles, [
      { key: 'train', profile: { image: 'a:1', gpu: ['H100'], env: { A: '1', B: '2' }, timeLimit: '4h' } },
      { key: 'prep', profile: { cpu: 'cpu3c-2-4', templateId: 't', env: { A: '1', B: '1' }, timeLimit: '4h' } },
    ]);
  });

  it('says of wrong input the exact place and what may stand there', () => {
    assert.deepEqual(told('{ "cloud": "secure", "gpu": "L4" }'), ['not-permitted «"secure"»: SECURE, COMMUNITY']);
    assert.deepEqual(told('{ "gpu": "L4", "profiles": { "a": { "atLimit": "delete" } } }'), ['not-permitted «"delete"»: stop, terminate']);
    assert.deepEqual(told('{ "gpu": ["L4", 4] }'), ['wrong-type «4»: "…"']);
    assert.deepEqual(told('{ "gpu": 4 }'), ['wrong-type «4»: "RTX 4090", "ADA_24", "≥ 24 GB under $0.60", ["RTX 4090", "L4"]']);
    assert.deepEqual(told('{ "gpu": "L4", "ports": ["22/tcp", "8888"] }'), ['bad-format «"8888"»: 8888/http, 5000/tcp']);
    assert.deepEqual(told('{ "gpu": "L4", "timeLimit": "4 hours", "idleStop": "0m" }'), ['bad-format «"4 hours"»: 4h, 90m, 1h30m, 2d']);
    assert.deepEqual(told('{ "gpu": "L4", "idleStop": "0m" }'), ['bad-format «"0m"»: 30m, 1h']);
    assert.deepEqual(told('{ "gpu": "L4", "volume": 5 }'), ['too-small «5»: 10']);
    assert.deepEqual(told('{ "gpu": "L4", "env": { "A-B": "x", "C": 3 } }'), ['bad-format «"A-B"»: HF_HOME, WANDB_MODE', 'wrong-type «3»: "…"']);
    assert.deepEqual(told('{ "gpu": "L4", "secrets": { "T": { "from": "vault" } } }'), ['not-permitted «"vault"»: environment, secretStorage, runpod']);
    assert.deepEqual(told('{ "gpu": "L4", "afterRun": "delete" }'), ['not-permitted «"delete"»: ask, keep, stop, terminate']);
    assert.deepEqual(told('{ "gpu": "L4", "results": "*.csv" }'), ['wrong-type «"*.csv"»: "outputs/", "*.csv"']);
    assert.deepEqual(told('{ "cpu": { "flavor": "cpu3c" } }'), ['missing «"cpu"»: vcpus']);
    assert.match(told('{ "gpu": "L4", "volumes": 20 }')[0] ?? '', /^unknown-field «"volumes"»: .*\bvolume\b/);
    assert.deepEqual(told('{ "gpu": "L4", "secrets": { "T": { "form": "runpod", "from": "runpod" } } }'), ['unknown-field «"form"»: from, name, required']);
  });

  it('says which fields exclude each other, and what is missing', () => {
    assert.deepEqual(told('{ "gpu": "L4", "image": "a", "templateId": "t" }'), ['excludes «"templateId"»: image']);
    assert.deepEqual(told('{ "gpu": "L4", "volume": 20, "networkVolume": "data" }'), ['excludes «"networkVolume"»: volume']);
    assert.deepEqual(told('{ "image": "a", "profiles": { "x": {}, "y": { "cpu": "cpu3c-2", "volume": 20 } } }'), ['missing «"x"»: gpu, cpu', 'excludes «"volume"»: cpu']);
    assert.deepEqual(told('{ "cpu": "cpu3c-2", "cloud": "COMMUNITY" }'), ['not-permitted «"COMMUNITY"»: SECURE']);
    assert.deepEqual(told('{ "gpu": "L4", "env": { "T": "1" }, "secrets": { "T": { "from": "runpod" } } }'), ['excludes «"T"»: secrets.T']);
  });

  it('says where the text is no JSON, and survives anything', () => {
    assert.match(told('{ "gpu": "L4" ')[0] ?? '', /^syntax .*CloseBraceExpected/);
    for (const text of ['', '[]', 'null', '{"__proto__": {"gpu": "L4"}}', '{"profiles": {"a": null}}', '{"profiles": []}', '\u0000', '{"gpu":"L4","gpu":5}']) assert.ok(told(text).length > 0, JSON.stringify(text));
  });

  it('knows durations', () => {
    assert.deepEqual(['4h', '90m', '1h30m', '2d', '1.5h', '45min', '', '0h', '4', 'h'].map(minutesOf), [240, 90, 90, 2880, 90, 45, undefined, undefined, undefined, undefined]);
  });
});

describe('the JSON schema', () => {
  const file = JSON.parse(readFileSync(join(root, 'media', 'runpod.schema.json'), 'utf8')) as Record<string, unknown>;

  it('is the one that the profile schema makes (made by the build)', () => {
    assert.deepEqual(file, JSON.parse(JSON.stringify(profileJsonSchema())));
  });

  it('judges as the reading does', () => {
    const validate = new Ajv({ strict: false }).compile(file);
    const good = ['{ "gpu": "L4" }', '{ "gpu": ["≥ 48 GB", "Anything New"] }', '{ "cpu": "cpu3c-2-4" }', '{ "cpu": { "flavor": "cpu9x", "vcpus": 4 } }', '{ "$schema": "x", "gpu": "L4", "profiles": { "a": { "disk": 5 } } }'];
    const bad = ['{ "gpu": [] }', '{ "gpu": "L4", "cloud": "secure" }', '{ "gpu": "L4", "disk": 0 }', '{ "gpu": "L4", "x": 1 }', '{ "gpu": "L4", "profiles": { "a": { "profiles": {} } } }', '{ "gpu": "L4", "env": { "A B": "" } }'];
    for (const text of good) assert.ok(validate(JSON.parse(text)), `${text} ${JSON.stringify(validate.errors)}`);
    for (const text of good) assert.deepEqual(told(text), []);
    for (const text of bad) assert.ok(!validate(JSON.parse(text)), text);
    for (const text of bad) assert.ok(told(text).length > 0, text);
  });

  it('describes every field', () => {
    for (const [name, field] of Object.entries(file['properties'] as Record<string, { description?: string }>)) assert.ok((field.description ?? '').length > 10, name);
  });
});

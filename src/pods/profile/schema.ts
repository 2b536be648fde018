import * as z from 'zod';
import { DURATION } from './duration';
import { CPU_NAMES, DATA_CENTERS, GPU_NAMES } from './hardwareNames';

/**
 * `runpod.json`: what a folder asks of a pod. This schema is the only definition: the types, the reading and the JSON
 * schema that the editor completes and checks by come from it.
 */

const text = z.string().min(1);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);
const duration = z.string().regex(DURATION);
const gpuName = z.union([z.enum(GPU_NAMES), text]);
const dataCenter = z.union([z.enum(DATA_CENTERS), text]);
/** No `..`, and something that is not a slash. */
const DESTINATION = /^(?!(?:.*\/)?\.\.(?:\/|$)).*[^/.\s]/;
const cloud = z.enum(['SECURE', 'COMMUNITY']);
const port = z.string().regex(/^[1-9]\d{0,4}\/(http|tcp)$/);

const secret = z.strictObject({
  from: z.enum(['environment', 'secretStorage', 'runpod']).meta({
    description: 'environment: a variable of this machine. secretStorage: kept by the editor, asked for at first use. runpod: a secret stored in the RunPod account, which never leaves it.',
  }),
  name: text.optional().meta({ description: 'Its name there, when it is not the name of the variable on the pod.' }),
  required: z.boolean().default(true).optional().meta({ description: 'Without it no pod is created (the default).' }),
});

const fields = {
  name: text.optional().meta({ description: 'Name of the pod. A number is added where it is taken.' }),
  image: text.optional().meta({ description: 'Container image for linux/amd64 with its tag, for example runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404. It must start an SSH server for PUBLIC_KEY, as RunPod’s own images do.' }),
  templateId: text.optional().meta({ description: 'A template, own or public, instead of an image.' }),
  gpu: z.union([gpuName, z.array(gpuName).min(1)]).optional().meta({
    description: 'GPUs that will do, in the order to try them: an id, a display name, a pool such as ADA_24, part of a name (H100), or a floor such as "≥ 24 GB under $0.60" (memory and hourly price of one GPU; the cheapest first).',
  }),
  gpuCount: z.int().min(1).max(16).optional().meta({ description: 'GPUs in the pod. 1 unless told.' }),
  minCudaVersion: z.string().regex(/^\d+\.\d+$/).optional().meta({ description: 'Lowest CUDA version the machine’s driver must support, for example 12.8.' }),
  minRamPerGpu: z.int().min(1).optional().meta({ description: 'GB of memory for each GPU at least.' }),
  minVcpuPerGpu: z.int().min(1).optional().meta({ description: 'vCPUs for each GPU at least.' }),
  cpu: z
    .union([z.union([z.enum(CPU_NAMES), z.string().regex(/^[a-z]+\d+[a-z]-\d+(-\d+)?$/)]), z.strictObject({ flavor: text, vcpus: z.int().min(2) })])
    .optional()
    .meta({ description: 'A pod without a GPU: flavor and vCPUs, for example cpu3c-2 (cpu3c-2-4, with its memory, is the same).' }),
  cloud: z.union([cloud, z.array(cloud).min(1).max(2)]).optional().meta({ description: 'Secure Cloud, Community Cloud, or both in the order to try them. SECURE unless told.' }),
  dataCenterIds: z.array(dataCenter).min(1).optional().meta({ description: 'Only in these data centers.' }),
  disk: z.int().min(1).optional().meta({ description: 'Container disk in GB. Wiped at every stop and restart.' }),
  volume: z.int().min(10).optional().meta({ description: 'Volume disk in GB, mounted at mountPath: kept by a stop, deleted with the pod.' }),
  networkVolume: text.optional().meta({ description: 'Id or name of a network volume, mounted at mountPath: outlives the pod and fixes its data center.' }),
  mountPath: z.string().regex(/^\/./).optional().meta({ description: 'Where the volume is mounted. /workspace unless told.' }),
  ports: z.array(port).optional().meta({ description: 'Ports to expose, for example 8888/http or 5000/tcp. HTTP ports are public, without a login. 22/tcp is always added.' }),
  env: z.record(variable, z.string()).optional().meta({ description: 'Variables of the pod. ${env:NAME} takes a variable of this machine, after you have agreed to that by name. Whoever has a key of the account can read them; for secrets use "secrets".' }),
  secrets: z.record(variable, secret).optional().meta({ description: 'Secret variables of the pod, by the name they have there, and where they come from.' }),
  args: z.string().optional().meta({ description: 'Start command instead of the image’s own. An image’s SSH server often lives in the command that this replaces.' }),
  registry: text.optional().meta({ description: 'Id of a registry credential, for a private image.' }),
  startJupyter: z.boolean().optional().meta({ description: 'Start JupyterLab, in images that have it.' }),
  setup: text.optional().meta({ description: 'Command that prepares the pod, for example pip install -r requirements.txt. New Pod from This Folder runs it on the pod, in the copy of this folder that it has sent there. postCreateCommand of a devcontainer.json unless told.' }),
  maxPricePerHour: z.number().positive().optional().meta({ description: 'USD per hour of compute for the whole pod. What costs more is not asked for.' }),
  timeLimit: duration.optional().meta({ description: 'How long after its start the pod ends itself, for example 4h, 90m or 1h30m, with this editor closed as well.' }),
  idleStop: duration.optional().meta({ description: 'End the pod when nothing has used it for so long, for example 30m.' }),
  budget: z.number().positive().optional().meta({ description: 'USD after which the pod ends itself.' }),
  destination: z.string().regex(DESTINATION).optional().meta({ description: 'Where this folder lies on a pod, for Push, Pull and Run: absolute, or below the mount path. Where it was sent last unless told, and at first under its own name.' }),
  results: z.array(text).optional().meta({ description: 'What is brought here when a run of this folder has ended: files and folders below the folder that the run works in, for example "outputs/" or "*.csv". What was changed on both sides is kept on both. The setting runpod.run.results holds where this is absent.' }),
  resultsWhileRunning: z.boolean().optional().meta({ description: 'Bring the results while the run goes on as well, as they change.' }),
  afterRun: z.enum(['ask', 'keep', 'stop', 'terminate']).optional().meta({
    description: 'What becomes of the pod when a long run of this folder has ended, its results are here and nothing else runs on the pod. stop and terminate take effect once you have agreed to them for this folder, and only while its window is open; for a closed window there are the limits.',
  }),
  atLimit: z.enum(['stop', 'terminate']).optional().meta({ description: 'What happens at a limit. stop keeps the volume; terminate deletes the pod with all but a network volume. stop unless told.' }),
} as const;

export const profileSchema = z.strictObject(fields);

/** The fields at the top hold for every profile; each profile may add to them or say otherwise. */
export const profileFileSchema = z.strictObject({
  $schema: z.string().optional().meta({ description: 'Ignored; lets other editors find the schema.' }),
  ...fields,
  profiles: z.record(text, profileSchema).optional().meta({ description: 'Several pods by name. Each inherits what stands at the top; env and secrets are merged.' }),
}).meta({ title: 'RunPod pod profiles', description: 'What a folder asks of a RunPod pod.' });

export type Profile = z.infer<typeof profileSchema>;
export type ProfileFile = z.infer<typeof profileFileSchema>;
export type ProfileSecret = z.infer<typeof secret>;

export const PROFILE_FIELDS: readonly string[] = Object.keys(fields);
export const FILE_FIELDS: readonly string[] = [...PROFILE_FIELDS, 'profiles'];
export const SECRET_FIELDS: readonly string[] = ['from', 'name', 'required'];
export const CPU_FIELDS: readonly string[] = ['flavor', 'vcpus'];

/** What the editor completes and checks by: `media/runpod.schema.json`. */
export function profileJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(profileFileSchema, { io: 'input', target: 'draft-7' }), allowComments: true, allowTrailingCommas: true };
}

import { l10n } from 'vscode';
import { DEFAULT_CPU_IMAGE, DEFAULT_IMAGE } from '../../pods/request';
import type { RunPodClient } from '../../runpod/client';
import type { Template } from '../../runpod/types';
import { BACK, heading, pickStep, textStep, type Choice, type StepPlace } from '../prompts/steps';

/** What a pod is made from. */
export interface Source {
  readonly label: string;
  readonly image?: string;
  readonly templateId?: string;
  /** What a template brings: its own volume. */
  readonly volumeGb?: number;
}

/** Read while the person is still at the steps before. */
export interface Templates {
  readonly official: readonly Template[];
  readonly own: readonly Template[];
}

export interface SourceStep extends StepPlace {
  readonly client: RunPodClient;
  readonly templates: Promise<Templates>;
  readonly cpu: boolean;
  /** The label chosen last. */
  readonly last: string | undefined;
}

/** RunPod lists so many public templates at most, and has no second page. */
const MOST_LISTED = 100;

type Elsewhere = 'image' | 'public' | 'id';
type Row = Choice<Source | Elsewhere>;

export const readTemplates = async (client: RunPodClient): Promise<Templates> => {
  const [official, own] = await Promise.all([client.catalog.templates('official').catch(() => []), client.templates.list().catch(() => [])]);
  return { official, own };
};

/** RunPod's own images, a template of the account or a public one, or any image by its name. @throws CancelledError */
export async function sourceStep(step: SourceStep): Promise<Source | typeof BACK> {
  for (;;) {
    const items = step.templates.then((t) => choicesOf(t, step.cpu));
    const answer = await pickStep<Source | Elsewhere>({ ...step, placeholder: l10n.t('Image or template'), items, active: (s) => typeof s !== 'string' && s.label === step.last });
    if (answer === BACK || typeof answer !== 'string') return answer;
    const found = answer === 'image' ? await imageStep(step) : answer === 'id' ? await idStep(step) : await publicStep(step);
    // Back from there leads to this list again.
    if (found !== BACK) return found;
  }
}

function choicesOf({ official, own }: Templates, cpu: boolean): Row[] {
  const image = cpu ? DEFAULT_CPU_IMAGE : DEFAULT_IMAGE;
  return [
    { label: cpu ? l10n.t('RunPod Base (Ubuntu 24.04)') : l10n.t('RunPod PyTorch'), description: image, value: { label: image, image } },
    ...section(l10n.t('Your Templates'), own, cpu),
    ...section(l10n.t('RunPod’s Templates'), official, cpu),
    heading<Source | Elsewhere>(l10n.t('Other')),
    { label: l10n.t('Image…'), description: l10n.t('by its full name and tag'), value: 'image' },
    { label: l10n.t('More Public Templates…'), description: l10n.t('verified by RunPod or shared by others'), value: 'public' },
  ];
}

/** Anybody can share a template, so it is said which are RunPod’s word and which are not. */
async function publicStep(step: SourceStep): Promise<Source | typeof BACK> {
  const items = Promise.all([step.client.catalog.templates('verified'), step.client.catalog.templates('community')]).then(([verified, community]): Row[] => [
    ...section(l10n.t('Verified by RunPod'), verified, step.cpu),
    ...section(l10n.t('Shared by Others: What Runs in Them Is Theirs'), community, step.cpu),
    heading<Source | Elsewhere>(l10n.t('Other')),
    { label: l10n.t('Template by Its Id…'), description: Math.max(verified.length, community.length) >= MOST_LISTED ? l10n.t('RunPod lists {0} of each kind; the console shows all, with their ids', MOST_LISTED) : l10n.t('as in the console’s address of it'), value: 'id' },
  ]);
  const answer = await pickStep<Source | Elsewhere>({ ...step, title: l10n.t('Public Templates'), placeholder: l10n.t('Name, image or id'), items });
  if (answer === BACK || typeof answer !== 'string') return answer;
  const found = await idStep(step);
  return found === BACK ? publicStep(step) : found;
}

async function idStep(step: SourceStep): Promise<Source | typeof BACK> {
  const id = await textStep({ ...step, title: l10n.t('Template by Its Id'), prompt: l10n.t('Any template that this account may see'), value: '', validate: (t) => (/^[\w-]+$/.test(t.trim()) ? undefined : l10n.t('Letters, digits, - and _.')) });
  if (id === BACK) return BACK;
  const template = await step.client.templates.get(id);
  if (template.serverless) throw new Error(l10n.t('{0} is a template for serverless workers, not for pods.', template.name));
  return rowOf(template).value as Source;
}

async function imageStep(step: SourceStep): Promise<Source | typeof BACK> {
  const image = await textStep({
    ...step,
    prompt: l10n.t('Image for linux/amd64, with its tag. It must start an SSH server for PUBLIC_KEY, as RunPod’s own images do.'),
    value: step.cpu ? DEFAULT_CPU_IMAGE : DEFAULT_IMAGE,
    validate: (text) => (/^\S+$/.test(text.trim()) ? undefined : l10n.t('An image name has no spaces.')),
  });
  return image === BACK ? BACK : { label: image, image };
}

function section(title: string, templates: readonly Template[], cpu: boolean): Row[] {
  const fitting = templates.filter((t) => !t.serverless && (t.category === undefined || (cpu ? t.category === 'CPU' : t.category !== 'CPU')));
  return fitting.length === 0 ? [] : [heading<Source | Elsewhere>(title), ...fitting.map(rowOf)];
}

const rowOf = (t: Template): Row => ({
  label: t.name,
  description: t.image,
  detail: t.id,
  value: { label: t.name, templateId: t.id, ...(t.mount?.kind === 'persistent' ? { volumeGb: t.mount.sizeGb } : {}) },
});

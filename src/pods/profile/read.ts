import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import type * as z from 'zod';
import { cloudsOf, type NamedProfile } from './asked';
import { minutesOf } from './duration';
import type { PlacelessProblem, ProfilePath, ProfileProblem } from './problems';
import { CPU_FIELDS, FILE_FIELDS, PROFILE_FIELDS, profileFileSchema, SECRET_FIELDS, type Profile, type ProfileFile } from './schema';

export interface ReadProfiles {
  readonly profiles: readonly NamedProfile[];
  /** In the order of the text. A file with problems has no profiles. */
  readonly problems: readonly ProfileProblem[];
  /** Puts a problem found later (against the catalog) in its place in the text. */
  place(problem: PlacelessProblem): ProfileProblem;
}

/** Reads `runpod.json`: JSON with comments and trailing commas. Never throws; what is wrong is told with its place. */
export function readProfiles(text: string): ReadProfiles {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const place = (problem: PlacelessProblem): ProfileProblem => placed(problem, tree);
  if (errors.length > 0 || tree === undefined) {
    const problems = errors.map((e): ProfileProblem => ({ code: 'syntax', path: [], offset: e.offset, length: Math.max(1, e.length), detail: printParseErrorCode(e.error) }));
    return { profiles: [], problems: problems.length > 0 ? problems : [{ code: 'empty', path: [], offset: 0, length: Math.max(1, text.length) }], place };
  }
  const result = profileFileSchema.safeParse(valueOf(tree));
  if (!result.success) return { profiles: [], problems: inOrder(result.error.issues.flatMap((issue) => problemsOf(issue)).map(place)), place };
  const profiles = profilesOf(result.data);
  const problems = inOrder(dedupe(profiles.flatMap(({ key, profile }) => contradictions(result.data, key, profile))).map(place));
  return { profiles: problems.length > 0 ? [] : profiles, problems, place };
}

function profilesOf({ profiles, $schema: _, ...shared }: ProfileFile): NamedProfile[] {
  const entries = Object.entries(profiles ?? {});
  if (entries.length === 0) return [{ key: undefined, profile: shared }];
  return entries.map(([key, own]) => ({ key, profile: inherit(shared, own) }));
}

/** Two fields that exclude each other: naming one takes the other one's place. */
const RIVALS: readonly (readonly [keyof Profile, keyof Profile])[] = [['image', 'templateId'], ['gpu', 'cpu'], ['volume', 'networkVolume']];

function inherit(shared: Profile, own: Profile): Profile {
  const base: Profile = { ...shared };
  for (const [a, b] of RIVALS) {
    if (own[a] !== undefined) delete base[b];
    if (own[b] !== undefined) delete base[a];
  }
  return {
    ...base,
    ...own,
    ...(shared.env || own.env ? { env: { ...shared.env, ...own.env } } : {}),
    ...(shared.secrets || own.secrets ? { secrets: { ...shared.secrets, ...own.secrets } } : {}),
  };
}

/** Rules between fields, which a schema of single fields cannot hold. */
function contradictions(file: ProfileFile, key: string | undefined, profile: Profile): PlacelessProblem[] {
  const at = (field: string): ProfilePath => (key !== undefined && file.profiles?.[key] && field in file.profiles[key] ? ['profiles', key, field] : [field]);
  const found: PlacelessProblem[] = [];
  const excludes = (field: keyof Profile, other: keyof Profile): void => void found.push({ code: 'excludes', path: at(field), other, atKey: true });
  for (const [a, b] of RIVALS) if (profile[a] !== undefined && profile[b] !== undefined) excludes(b, a);
  if (profile.gpu === undefined && profile.cpu === undefined) found.push({ code: 'missing', path: key === undefined ? [] : ['profiles', key], permitted: ['gpu', 'cpu'], atKey: true });
  if (profile.cpu !== undefined) for (const field of ['volume', 'gpuCount', 'minCudaVersion', 'minRamPerGpu', 'minVcpuPerGpu'] as const) if (profile[field] !== undefined) excludes(field, 'cpu');
  for (const field of ['timeLimit', 'idleStop'] as const) if (profile[field] !== undefined && minutesOf(profile[field]) === undefined) found.push({ code: 'bad-format', path: at(field), permitted: HINTS[field] ?? [] });
  const clouds = cloudsOf(profile);
  if (clouds.includes('COMMUNITY') && profile.networkVolume !== undefined) found.push({ code: 'not-permitted', path: at('cloud'), permitted: ['SECURE'], other: 'networkVolume' });
  if (clouds.includes('COMMUNITY') && profile.cpu !== undefined) found.push({ code: 'not-permitted', path: at('cloud'), permitted: ['SECURE'], other: 'cpu' });
  for (const name of Object.keys(profile.secrets ?? {})) if (profile.env?.[name] !== undefined) found.push({ code: 'excludes', path: [...at('env'), name], other: `secrets.${name}`, atKey: true });
  return found;
}

type Issue = z.core.$ZodIssue;

/** One finding of the schema in our own terms. Of a union, the branch that came closest speaks. */
function problemsOf(issue: Issue, prefix: readonly PropertyKey[] = []): PlacelessProblem[] {
  const path = [...prefix, ...issue.path].map((p) => (typeof p === 'symbol' ? String(p) : p));
  const shown = (): { permitted: readonly string[] } | object => hint(path) ?? {};
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ code: 'unknown-field', path: [...path, key], permitted: fieldsAt(path), atKey: true }));
    case 'invalid_value':
      return [{ code: 'not-permitted', path, permitted: issue.values.map(String) }];
    case 'invalid_type':
      return [{ code: 'wrong-type', path, permitted: [TYPE_WORDS[issue.expected] ?? issue.expected], ...(typeof path.at(-1) === 'number' || path.at(-2) === 'env' || path.at(-2) === 'secrets' ? {} : shown()) }];
    case 'too_small':
      return [typeof issue.minimum === 'number' && issue.origin !== 'string' && issue.origin !== 'array' ? { code: 'too-small', path, limit: issue.minimum } : { code: 'empty', path, ...shown() }];
    case 'too_big':
      return [{ code: 'too-big', path, limit: Number(issue.maximum) }];
    case 'invalid_format':
      return [{ code: 'bad-format', path, ...shown() }];
    case 'invalid_union': {
      const branches = issue.errors.map((issues) => issues.flatMap((i) => problemsOf(i, path)));
      const closest = [...branches].sort((a, b) => remoteness(a, path) - remoteness(b, path))[0];
      const values = [...new Set(branches.flat().filter((p) => p.code === 'not-permitted' && p.path.length === path.length).flatMap((p) => p.permitted ?? []))];
      // An enumeration says "not permitted" to a number as well; its neighbour that takes any text tells that it is none.
      const noText = issue.errors.some((issues) => issues.some((i) => i.code === 'invalid_type' && i.expected === 'string' && i.path.length === 0));
      if (noText && (typeof path.at(-1) === 'number' || hint(path) === undefined)) return [{ code: 'wrong-type', path, permitted: ['"…"'] }];
      // All branches failed at once: what may stand there is what any of them would take.
      if (closest === undefined || (noText && closest[0]?.path.length === path.length) || (closest[0]?.path.length === path.length && closest[0].code === 'wrong-type'))
        return [{ code: 'wrong-type', path, permitted: hint(path)?.permitted ?? (values.length > 0 ? values : branches.flat().flatMap((p) => p.permitted ?? [])) }];
      return closest;
    }
    case 'invalid_key':
      return [{ code: 'bad-format', path, ...shown(), atKey: true }];
    default:
      return [{ code: 'wrong-type', path, ...shown() }];
  }
}

/** How far a branch of a union is from what stands there: a wrong type at its root is farthest. */
const remoteness = (problems: readonly PlacelessProblem[], root: ProfilePath): number =>
  Math.max(0, ...problems.map((p) => (p.path.length > root.length ? 0 : p.code === 'wrong-type' ? 3 : p.code === 'not-permitted' ? 2 : 1)));

const TYPE_WORDS: Readonly<Record<string, string>> = { string: '"…"', number: '1', int: '1', boolean: 'true', object: '{…}', record: '{…}', array: '[…]' };

const HINTS: Readonly<Record<string, readonly string[]>> = {
  gpu: ['"RTX 4090"', '"ADA_24"', '"≥ 24 GB under $0.60"', '["RTX 4090", "L4"]'],
  cpu: ['"cpu3c-2"', '"cpu3c-2-4"', '{ "flavor": "cpu3c", "vcpus": 2 }'],
  cloud: ['"SECURE"', '"COMMUNITY"', '["SECURE", "COMMUNITY"]'],
  ports: ['8888/http', '5000/tcp'],
  minCudaVersion: ['12.8'],
  mountPath: ['/workspace'],
  timeLimit: ['4h', '90m', '1h30m', '2d'],
  idleStop: ['30m', '1h'],
  env: ['HF_HOME', 'WANDB_MODE'],
  secrets: ['HF_TOKEN', 'WANDB_API_KEY'],
  destination: ['"projects/llama"', '"/root/llama"'],
  results: ['"outputs/"', '"*.csv"'],
};

function hint(path: ProfilePath): { permitted: readonly string[] } | undefined {
  const field = path[0] === 'profiles' ? path[2] : path[0];
  const permitted = typeof field === 'string' ? HINTS[field] : undefined;
  return permitted && { permitted };
}

function fieldsAt(path: ProfilePath): readonly string[] {
  const inside = path[0] === 'profiles' ? path.slice(2) : path;
  if (inside[0] === 'secrets') return SECRET_FIELDS;
  if (inside[0] === 'cpu') return CPU_FIELDS;
  return path.length === 0 ? FILE_FIELDS : PROFILE_FIELDS;
}

/** The value of a tree, without what `jsonc-parser` would lose: nothing but the plain value. */
function valueOf(node: Node): unknown {
  if (node.type === 'object') {
    const value: Record<string, unknown> = {};
    for (const property of node.children ?? []) {
      const [name, content] = property.children ?? [];
      // `__proto__` as a key must stay a key.
      if (name && content) Object.defineProperty(value, String(name.value), { value: valueOf(content), enumerable: true, configurable: true, writable: true });
    }
    return value;
  }
  return node.type === 'array' ? (node.children ?? []).map(valueOf) : (node.value as unknown);
}

/** The nearest place in the text: the value itself, its key for what is about the key, else what it stands in. */
function placed({ atKey, ...found }: PlacelessProblem, tree: Node | undefined): ProfileProblem {
  let problem = found;
  for (let path = [...problem.path]; tree; path = path.slice(0, -1)) {
    const node = findNodeAtLocation(tree, path);
    if (node) {
      const key = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
      const absent = path.length < problem.path.length;
      const at = key && (atKey || absent) ? key : node;
      if (absent && problem.code === 'wrong-type') problem = { ...problem, code: 'missing', permitted: [String(problem.path.at(-1))] };
      // Of a whole object only its opening is marked, or everything would be red.
      return { ...problem, offset: at.offset, length: at.type === 'object' || at.type === 'array' ? 1 : Math.max(1, at.length) };
    }
    if (path.length === 0) break;
  }
  return { ...problem, offset: 0, length: 1 };
}

const inOrder = (problems: readonly ProfileProblem[]): ProfileProblem[] => [...problems].sort((a, b) => a.offset - b.offset);

function dedupe(problems: readonly PlacelessProblem[]): PlacelessProblem[] {
  return [...new Map(problems.map((p) => [`${p.code} ${p.path.join('\0')} ${p.other ?? ''}`, p])).values()];
}

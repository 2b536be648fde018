import * as z from 'zod';

/** What is known of a run beyond what the pod itself can see; kept beside its output, for other windows and machines. */
const schema = z.object({
  /** What a person calls it: a file's name, or the command's beginning. */
  title: z.string().min(1),
  /** Shell text, as in `CommandSpec`. */
  command: z.string(),
  /** Absolute, or absent for the login's home. */
  cwd: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  /** The pod's rate in USD per hour when it began. */
  costPerHour: z.number().nonnegative().optional(),
  /** Where the folder that `cwd` is a copy of lies: its address in the editor, the machine that it is on, the file in it that is run, where it is one, and whether nothing else was sent. */
  source: z.object({ uri: z.string(), machine: z.string(), file: z.string().optional(), only: z.boolean().optional() }).optional(),
  /** Several runs that were started as one. */
  group: z.string().optional(),
});

export type RunMeta = z.infer<typeof schema>;

/** Reads `meta.json`; something readable comes out of anything. */
export function readMeta(text: string): RunMeta {
  try {
    const { data } = schema.safeParse(JSON.parse(text));
    if (data !== undefined) return data;
  } catch {
    // A run that another version wrote down, or one whose disk was full: it is there all the same.
  }
  return { title: '?', command: '' };
}

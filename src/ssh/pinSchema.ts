import * as z from 'zod';

const pinSchema = z.object({
  fingerprint: z.string(),
  type: z.string(),
  proven: z.boolean().optional(),
  /** A person has said that it is right, whatever else was expected. */
  approved: z.boolean().optional(),
  /** The start it belongs to, as the API names it; absent for hosts and when the start is not known. */
  startedAt: z.string().optional(),
  /** When it was first seen, ISO 8601. */
  pinnedAt: z.string(),
});
/** A remembered host key. */
export type Pin = z.infer<typeof pinSchema>;

export const pinFileSchema = z.object({
  version: z.literal(1),
  pods: z.record(z.string(), pinSchema),
  hosts: z.record(z.string(), pinSchema),
});
/** All of them, as they lie in their file. */
export type Pins = z.infer<typeof pinFileSchema>;

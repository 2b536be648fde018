import * as z from 'zod';
import { plainName } from '../base/log';

/**
 * Reading what RunPod sends, field by field: a field in a form that cannot be read costs that field alone, and leaves its
 * name behind so that nobody takes it for absent.
 */

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

export const text = z.string();
export const filled = z.string().min(1);
/** What a person sees as the name of something, fit to be shown anywhere. */
export const label = filled.transform(plainName);
/** An id of RunPod's: it goes into paths, addresses of the editor, host names and files of OpenSSH as it is. */
export const plainId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/);
export const flag = z.boolean();
export const count = z.int().min(0);
export const amount = z.number().min(0);
export const port = z.int().min(1).max(65535);
/** RFC 3339. */
export const time = z.string().regex(/^\d{4}-\d{2}-\d{2}[Tt ]/).transform((value, context) => {
  const date = new Date(value);
  if (!Number.isNaN(date.getTime())) return date;
  context.addIssue({ code: 'custom', message: 'not a time' });
  return z.NEVER;
});

/** Reads the fields of one object and collects the names of those that cannot be read. */
export class FieldReader {
  constructor(
    private readonly fields: Fields,
    readonly problems: string[] = [],
    private readonly prefix = '',
  ) {}

  /** The field's value; `undefined` when it is absent, null or unreadable. */
  get<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const value = this.fields[name];
    if (value === undefined || value === null) return undefined;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    this.problems.push(this.prefix + name);
    return undefined;
  }

  /** A reader of an object within; of an empty one when it is absent or unreadable. */
  within(name: string): FieldReader {
    return new FieldReader(this.get(name, fieldsSchema) ?? {}, this.problems, `${this.prefix}${name}.`);
  }

  has(name: string): boolean {
    return this.fields[name] !== undefined && this.fields[name] !== null;
  }

  /** The readable elements of a list, `undefined` when there is no list. */
  list<T>(name: string, read: (element: unknown) => T | undefined): T[] | undefined {
    const elements = this.get(name, z.array(z.unknown()));
    return elements?.flatMap((element, index) => {
      const value = read(element);
      if (value === undefined) this.problems.push(`${this.prefix}${name}[${index}]`);
      return value === undefined ? [] : [value];
    });
  }

  strings(name: string): string[] | undefined {
    return this.list(name, (element) => (typeof element === 'string' ? element : undefined));
  }

  /** A map to strings, as `env` is. */
  stringMap(name: string): Record<string, string> | undefined {
    const fields = this.get(name, fieldsSchema);
    if (fields === undefined) return undefined;
    return Object.fromEntries(
      Object.entries(fields).flatMap(([key, value]): [string, string][] => {
        if (typeof value === 'string') return [[key, value]];
        if (typeof value === 'number' || typeof value === 'boolean') return [[key, String(value)]];
        this.problems.push(`${this.prefix}${name}.${key}`);
        return [];
      }),
    );
  }
}

const fieldsSchema = z.custom<Fields>(isFields);

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** The same object without the members that are `undefined`, so that absent is absent. */
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

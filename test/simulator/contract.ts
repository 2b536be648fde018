import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join, dirname } from 'node:path';
import Ajv2020, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { amend } from './october';
import { invalid } from './problem';
import type { ContractVersion } from './settings';

type Json = Readonly<Record<string, unknown>>;

/** A parameter of an operation, references resolved. */
interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly schema: Json;
}

const here = dirname(fileURLToPath(import.meta.url));
const BASE = 'https://simulator.invalid/openapi.json';

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The published OpenAPI document as a judge of requests and answers. */
export class Contract {
  readonly #document: Json;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(readonly version: ContractVersion) {
    const document = JSON.parse(readFileSync(join(here, 'openapi-v2.json'), 'utf8')) as Record<string, unknown>;
    if (version === '2026-10') amend(document);
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
    addFormats(this.#ajv);
    this.#ajv.addSchema({ ...(conditionsApart(document) as Json), $id: BASE });
  }

  /** Methods that the document knows for a path template; empty for an unknown path. */
  methods(template: string): string[] {
    const item = this.#at('paths', template);
    return isObject(item) ? Object.keys(item).filter((key) => key !== 'parameters').map((key) => key.toUpperCase()) : [];
  }

  get templates(): string[] {
    const paths = this.#document['paths'];
    return isObject(paths) ? Object.keys(paths) : [];
  }

  /** @throws Problem 422 naming each violation. */
  checkBody(method: string, template: string, body: unknown): void {
    const schema = this.#at('paths', template, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema');
    if (!isObject(schema)) return;
    const violations = this.#violations(`body ${method} ${template}`, schema, body);
    if (violations.length > 0) throw invalid(...violations);
  }

  /** Whether the operation wants a body. */
  takesBody(method: string, template: string): boolean {
    return this.#at('paths', template, method.toLowerCase(), 'requestBody') !== undefined;
  }

  /** Reads the query into values of the types that the document names; what it does not name is ignored. @throws Problem 422 */
  readQuery(method: string, template: string, query: URLSearchParams): Record<string, unknown> {
    const read: Record<string, unknown> = {};
    for (const parameter of this.#parameters(method, template)) {
      const text = parameter.in === 'query' ? query.get(parameter.name) : null;
      if (text === null) continue;
      const value = fromText(text, this.#resolve(parameter.schema));
      const violations = this.#violations(`query ${method} ${template} ${parameter.name}`, parameter.schema, value);
      if (violations.length > 0) throw invalid(...violations.map((v) => v.replace(/^\$/, `query.${parameter.name}`)));
      read[parameter.name] = value;
    }
    return read;
  }

  /** What is wrong with an answer; empty when it is to the letter. `template` undefined: any problem. */
  judgeAnswer(method: string, template: string | undefined, status: number, contentType: string | undefined, body: unknown): string[] {
    if (template === undefined) return this.#violations('problem', { $ref: '#/components/schemas/ErrorResponse' }, body);
    const responses = this.#at('paths', template, method.toLowerCase(), 'responses');
    if (!isObject(responses)) return this.#violations('problem', { $ref: '#/components/schemas/ErrorResponse' }, body);
    const response = this.#resolve(responses[String(status)] ?? responses['default']);
    if (!isObject(response)) return [`status ${status} is not in the contract`];
    if (!(String(status) in responses) && status < 400) return [`status ${status} is not in the contract`];
    const content = response['content'];
    if (!isObject(content)) return body === undefined ? [] : [`status ${status} has a body`];
    const media = contentType === undefined ? undefined : content[contentType];
    if (!isObject(media)) return [`content type ${contentType ?? 'none'} instead of ${Object.keys(content).join(', ')}`];
    if (contentType === 'text/event-stream') return [];
    const schema = media['schema'];
    return isObject(schema) ? this.#violations(`answer ${method} ${template} ${status}`, schema, body) : [];
  }

  /** What is wrong with an answer's headers: those that the document names for it must be there. */
  judgeHeaders(method: string, template: string, status: number, headers: Readonly<Record<string, string>>): string[] {
    const responses = this.#at('paths', template, method.toLowerCase(), 'responses');
    if (!isObject(responses)) return [];
    const named = this.#resolve(responses[String(status)] ?? responses['default'])['headers'];
    const sent = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
    const grammar: Readonly<Record<string, RegExp>> = {
      RateLimit: /^("(minute|hour|day)";r=\d+;t=\d+(, |$)){3}$/,
      'RateLimit-Policy': /^("(minute|hour|day)";q=\d+;w=\d+(, |$)){3}$/,
      'Retry-After': /^\d+$/,
    };
    return Object.keys(isObject(named) ? named : {}).flatMap((name) => {
      if (!sent.has(name.toLowerCase())) return [`header ${name} is missing`];
      const value = headers[name] ?? '';
      return grammar[name]?.test(value) === false ? [`header ${name} reads ${value}`] : [];
    });
  }

  /** Every operation of the document with the statuses that it names. */
  get operations(): { readonly method: string; readonly template: string; readonly statuses: readonly string[] }[] {
    return this.templates.flatMap((template) =>
      this.methods(template).map((method) => {
        const responses = this.#at('paths', template, method.toLowerCase(), 'responses');
        return { method, template, statuses: Object.keys(isObject(responses) ? responses : {}) };
      }),
    );
  }

  #parameters(method: string, template: string): Parameter[] {
    const shared = this.#at('paths', template, 'parameters');
    const own = this.#at('paths', template, method.toLowerCase(), 'parameters');
    return [shared, own].flatMap((list): unknown[] => (Array.isArray(list) ? list : [])).map((p) => this.#resolve(p) as unknown as Parameter);
  }

  #violations(key: string, schema: Json, value: unknown): string[] {
    const validate = this.#validators.get(key) ?? this.#ajv.compile(absolute(schema) as Json);
    this.#validators.set(key, validate);
    return validate(value) === true ? [] : describe(validate.errors ?? []);
  }

  #at(...path: string[]): unknown {
    let value: unknown = this.#document;
    for (const key of path) value = isObject(value) ? value[key] : undefined;
    return value;
  }

  #resolve(value: unknown): Json {
    const ref = isObject(value) ? value['$ref'] : undefined;
    if (typeof ref !== 'string') return isObject(value) ? value : {};
    return this.#resolve(this.#at(...ref.slice(2).split('/')));
  }
}

/**
 * Moves `if` and `then` that stand beside `allOf` into it, which means the same: beside it, Ajv forgets in `unevaluatedProperties`
 * what `allOf` has named.
 */
function conditionsApart(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(conditionsApart);
  if (!isObject(value)) return value;
  const all = Object.fromEntries(Object.entries(value).map(([key, v]) => [key, conditionsApart(v)]));
  if (!Array.isArray(all['allOf']) || all['if'] === undefined) return all;
  const { if: condition, then, allOf, ...rest } = all;
  return { ...rest, allOf: [...(allOf as unknown[]), { if: condition, then }] };
}

/** Makes the document's own references point into it from a schema outside. */
function absolute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(absolute);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, v]) => [key, key === '$ref' && typeof v === 'string' && v.startsWith('#') ? BASE + v : absolute(v)]),
  );
}

function fromText(text: string, schema: Json): unknown {
  if (schema['type'] === 'array') return text === '' ? [] : text.split(',');
  if (schema['type'] === 'integer' || schema['type'] === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (schema['type'] === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** Violations in the words of the API: `$: additional properties 'bogus' not allowed`. */
function describe(errors: readonly ErrorObject[]): string[] {
  const texts = errors.flatMap((error) => {
    const where = `$${error.instancePath.split('/').slice(1).map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join('')}`;
    const params = error.params as Readonly<Record<string, unknown>>;
    const extra = params['additionalProperty'] ?? params['unevaluatedProperty'];
    if (error.keyword === 'if') return [];
    if (typeof extra === 'string') return [`${where}: additional properties '${extra}' not allowed`];
    if (error.keyword === 'required') return [`${where}: missing property '${String(params['missingProperty'])}'`];
    return [`${where}: ${error.message ?? 'is invalid'}`];
  });
  return [...new Set(texts)];
}

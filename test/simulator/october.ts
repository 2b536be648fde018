type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function at(root: Json, ...path: string[]): Json {
  let value: unknown = root;
  for (const key of path) value = isObject(value) ? value[key] : undefined;
  if (!isObject(value)) throw new Error(`the contract has no ${path.join('.')}`);
  return value;
}

/** Lists that come in pages, with the schema of their answers. */
const PAGED: Readonly<Record<string, string>> = {
  '/v2/pods': 'ListPodsResponse',
  '/v2/clusters': 'ListClustersResponse',
  '/v2/serverless': 'ListEndpointsResponse',
  '/v2/templates': 'ListTemplatesResponse',
  '/v2/network-volumes': 'ListNetworkVolumesResponse',
  '/v2/registries': 'ListRegistriesResponse',
};

/** Changes the saved contract in place to what RunPod published after it: pages, exec-form commands, placement floors, secrets, 413. */
export function amend(document: Json): void {
  const schemas = at(document, 'components', 'schemas');
  schemas['Pagination'] = {
    type: 'object',
    required: ['nextCursor', 'hasNextPage'],
    properties: { nextCursor: { type: ['string', 'null'] }, hasNextPage: { type: 'boolean' } },
  };
  for (const [path, schema] of Object.entries(PAGED)) {
    const list = at(schemas, schema);
    at(list, 'properties')['pagination'] = { $ref: '#/components/schemas/Pagination' };
    const get = at(document, 'paths', path, 'get');
    // The public template catalog answers with the same schema and has no pages.
    at(get, 'responses', '200', 'content', 'application/json')['schema'] = { allOf: [{ $ref: `#/components/schemas/${schema}` }, { required: ['pagination'] }] };
    get['parameters'] = [...((get['parameters'] as unknown[] | undefined) ?? []), ...pageParameters];
  }

  const words = { type: 'array', items: { type: 'string' } };
  Object.assign(at(schemas, 'BaseContainerConfig', 'properties'), { cmd: words, entrypoint: words });
  const createGpu = (at(schemas, 'CreateGpuConfig')['allOf'] as Json[])[1];
  if (createGpu !== undefined)
    Object.assign(at(createGpu, 'properties'), {
      minRamPerGpu: { type: 'integer', minimum: 1 },
      minVcpuCountPerGpu: { type: 'integer', minimum: 1 },
    });
  const pod = (at(schemas, 'Pod')['allOf'] as Json[])[1];
  if (pod !== undefined)
    at(pod, 'properties')['gpu'] = {
      allOf: [
        { $ref: '#/components/schemas/GpuConfig' },
        { type: 'object', properties: { vcpuCount: { type: 'integer' }, memory: { type: 'integer' } } },
      ],
    };

  schemas['Secret'] = {
    type: 'object',
    required: ['id', 'name', 'description', 'createdAt', 'valueLastUpdatedAt'],
    properties: {
      id: { type: 'string' },
      name: { type: 'string' },
      description: { type: 'string' },
      createdAt: { type: 'string', format: 'date-time' },
      valueLastUpdatedAt: { type: 'string', format: 'date-time' },
    },
  };
  Object.assign(at(document, 'paths'), secretPaths);
}

const pageParameters = [
  { name: 'cursor', in: 'query', required: false, schema: { type: 'string' } },
  { name: 'limit', in: 'query', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 1000 } },
];

const json = (schema: Json): Json => ({ description: 'OK', content: { 'application/json': { schema } } });
const failure = { description: 'Error', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ErrorResponse' } } } };
const body = (schema: Json): Json => ({ required: true, content: { 'application/json': { schema } } });
const secret = { $ref: '#/components/schemas/Secret' };
const description = { type: 'string' };
const value = { type: 'string', minLength: 1, maxLength: 16_777_215 };

const secretPaths: Json = {
  '/v2/account/secrets': {
    get: {
      parameters: [...pageParameters, { name: 'name', in: 'query', schema: { type: 'string' } }],
      responses: {
        '200': json({
          type: 'object',
          required: ['secrets', 'pagination'],
          properties: { secrets: { type: 'array', items: secret }, pagination: { $ref: '#/components/schemas/Pagination' } },
        }),
        default: failure,
      },
    },
    post: {
      requestBody: body({
        type: 'object',
        additionalProperties: false,
        required: ['name', 'value'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 191, pattern: '^(?![Rr][Uu][Nn][Pp][Oo][Dd])[a-zA-Z_][a-zA-Z0-9_.\\-/]*$' },
          value,
          description,
        },
      }),
      responses: { '201': json(secret), default: failure },
    },
  },
  '/v2/account/secrets/{id}': {
    get: { responses: { '200': json(secret), default: failure } },
    patch: {
      requestBody: body({ type: 'object', additionalProperties: false, minProperties: 1, properties: { value, description } }),
      responses: { '200': json(secret), default: failure },
    },
    delete: { responses: { '204': { description: 'Deleted' }, default: failure } },
  },
};

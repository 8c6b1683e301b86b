import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { problem } from '@gleaner/protocol';
import { z } from 'zod';
import { problemsOf } from './operation-problems.js';
import { OPERATION_SUMMARIES } from './operation-summaries.js';
import { REQUEST_EXAMPLES } from './request-examples.js';

const PREFIX = '#/components/schemas/';

/**
 * OpenAPI 3.1 of every endpoint, its schemas those of libs/protocol by their ids.
 *
 * @param otherPaths of routes that are no controllers'
 */
export function createOpenApiDocument(
  app: INestApplication,
  version: string,
  otherPaths: OpenAPIObject['paths'],
): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Gleaner')
    .setDescription('Volunteer computing: submit jobs, contribute computer time, follow the results.')
    .setVersion(version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A token that starts with gln_' })
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? convertSchema(schema, schemaType) : undefined,
  });
  Object.assign(document.paths, structuredClone(otherPaths));
  Object.assign((document.components ??= {}), {
    schemas: { ...document.components.schemas, ...convertSchema(problem, 'output').components },
  });
  const refusal = {
    description:
      'Any other problem (RFC 9457): what was sent is not valid, the token is missing or may not do that, there were too many requests, or the coordinator is busy or away',
    content: { 'application/problem+json': { schema: { $ref: `${PREFIX}Problem` } } },
  };
  for (const operation of operationsOf(document)) {
    const id = operation.operationId ?? '';
    const summary = OPERATION_SUMMARIES[id];
    if (summary !== undefined) operation.summary = summary;
    for (const [status, description] of problemsOf(id))
      operation.responses[status] = { description, content: refusal.content };
    operation.responses['default'] ??= refusal;
    const { requestBody } = operation;
    const json =
      requestBody && 'content' in requestBody ? requestBody.content['application/json'] : undefined;
    if (json && REQUEST_EXAMPLES[id]) json.example = REQUEST_EXAMPLES[id];
  }
  return document;
}

function operationsOf({ paths }: OpenAPIObject) {
  return Object.values(paths)
    .flatMap(({ get, head, put, post, patch, delete: remove }) => [get, head, put, post, patch, remove])
    .filter((operation) => operation !== undefined);
}

/** The content of a stream of server-sent events whose data are JSON of this component's schema. */
export function eventStreamOf(component: string): Record<string, { schema: { $ref: string } }> {
  return { 'text/event-stream': { schema: { $ref: PREFIX + component } } };
}

function convertSchema(
  schema: z.ZodType,
  io: 'input' | 'output',
): { schema: unknown; components: Record<string, unknown> } {
  const {
    $defs = {},
    $schema: _dialect,
    ...root
  } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    reused: 'inline',
  });
  const components: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries($defs))
    components[componentName(name, io)] = point(definition, io);
  const id = z.globalRegistry.get(schema)?.id;
  if (id === undefined) return { schema: point(root, io), components };
  // Where zod has named the schema among the definitions already, the root is only a reference to itself.
  components[componentName(id, io)] ??= point(root, io);
  return { schema: { $ref: PREFIX + componentName(id, io) }, components };
}

/** What a client may send and what it gets differ by defaults; both are named. */
function componentName(id: string, io: 'input' | 'output'): string {
  return io === 'input' ? `${id}Input` : id;
}

/** Turns references among definitions into references among components, and drops the names that zod repeats inside. */
function point(value: unknown, io: 'input' | 'output'): unknown {
  if (Array.isArray(value)) return value.map((item) => point(item, io));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (key === '$ref' && typeof member === 'string')
      result[key] = PREFIX + componentName(member.split('/').at(-1) ?? '', io);
    else if (key === 'id' && typeof member === 'string') continue;
    else result[key] = point(member, io);
  }
  return result;
}

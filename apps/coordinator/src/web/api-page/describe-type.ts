import { z } from 'zod';
import { markup, joined, NOTHING, type Html } from './html.js';

const PREFIX = '#/components/schemas/';
const INDENT = '  ';
/** What JSON Schema says of numbers that are only whole. */
const SAFE = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** As much of JSON Schema as the protocol's schemas become. */
const schema = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.unknown().optional(),
  description: z.string().optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  default: z.unknown().optional(),
});
type Schema = z.infer<typeof schema>;

/** A schema as a type in TypeScript's notation, with what it demands beyond that as comments; named ones are links. */
export function describeType(value: unknown, indent = ''): Html {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return markup`unknown`;
  const { $ref, const: only, enum: options, anyOf, oneOf, allOf, type } = parsed.data;
  if ($ref !== undefined) return linkTo($ref);
  if (only !== undefined) return markup`${JSON.stringify(only)}`;
  if (options) {
    return joined(
      options.map((option) => markup`${JSON.stringify(option)}`),
      ' | ',
    );
  }
  const parts = anyOf ?? oneOf ?? allOf;
  if (parts) {
    return joined(
      parts.map((part) => describeType(part, indent)),
      allOf ? ' &amp; ' : ' | ',
    );
  }
  const types = typeof type === 'string' ? [type] : (type ?? ['unknown']);
  return joined(
    types.map((name) => describeNamed(name, parsed.data, indent)),
    ' | ',
  );
}

/** What a schema that only refers to another one calls it; null for one that says something itself. */
export function nameOf(value: unknown): string | null {
  const parsed = schema.safeParse(value);
  return parsed.success && parsed.data.$ref !== undefined ? parsed.data.$ref.slice(PREFIX.length) : null;
}

/** What a value has to fulfil beyond its type; nothing where that is all. */
export function demandsOf(value: unknown): string {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return '';
  const { description, format, pattern, default: usual, ...bounds } = parsed.data;
  return [
    format,
    pattern === undefined || format !== undefined ? undefined : `matches ${pattern}`,
    range(bounds.minLength, bounds.maxLength, 'characters'),
    range(bounds.minimum, bounds.maximum, ''),
    range(bounds.minItems, bounds.maxItems, 'of them'),
    usual === undefined ? undefined : `${JSON.stringify(usual)} where it is left out`,
    // Last, as it is a sentence.
    description,
  ]
    .filter((part) => part !== undefined)
    .join('; ');
}

function describeNamed(name: string, of: Schema, indent: string): Html {
  switch (name) {
    case 'array':
      return describeArray(of.items ?? {}, indent);
    case 'object':
      return describeObject(of, indent);
    case 'integer':
      return markup`number`;
    default:
      return markup`${name}`;
  }
}

function describeArray(items: unknown, indent: string): Html {
  const item = describeType(items, indent);
  return isOfSeveral(items) ? markup`(${item})[]` : markup`${item}[]`;
}

function isOfSeveral(value: unknown): boolean {
  const { enum: options, anyOf, oneOf, allOf, type } = schema.safeParse(value).data ?? {};
  const parts = anyOf ?? oneOf ?? allOf ?? options ?? (Array.isArray(type) ? type : []);
  return parts.length > 1;
}

function describeObject(
  { properties = {}, required = [], additionalProperties }: Schema,
  indent: string,
): Html {
  const inner = indent + INDENT;
  const members = Object.entries(properties).map(([name, member]) => {
    const demands = demandsOf(member);
    const comment = demands === '' ? NOTHING : markup` <i>// ${demands}</i>`;
    const mark = required.includes(name) ? '' : '?';
    return markup`${inner}${name}${mark}: ${describeType(member, inner)};${comment}\n`;
  });
  if (typeof additionalProperties === 'object' && additionalProperties !== null) {
    members.push(markup`${inner}[name: string]: ${describeType(additionalProperties, inner)};\n`);
  }
  return members.length === 0 ? markup`{}` : markup`{\n${members}${indent}}`;
}

function linkTo(reference: string): Html {
  const name = reference.slice(PREFIX.length);
  return markup`<a href="#type-${name}">${name}</a>`;
}

function range(from: number | undefined, to: number | undefined, what: string): string | undefined {
  const [least, most] = [from, to].map((bound) =>
    bound !== undefined && SAFE.includes(bound) ? undefined : bound,
  );
  if (least === undefined && most === undefined) return undefined;
  const bounds =
    most === undefined
      ? `at least ${least}`
      : least === undefined || least === 0
        ? `at most ${most}`
        : `${least} to ${most}`;
  return `${bounds} ${what}`.trim();
}

import { z } from 'zod';

const WRAPPERS = [z.ZodOptional, z.ZodNullable, z.ZodDefault, z.ZodPrefault];

/** What is wrong with a value, and where. */
export interface SchemaFault {
  /** JSON pointer (RFC 6901) into the value; empty for the whole of it. */
  readonly pointer: string;
  /** The rest of a sentence that begins with what the pointer names. */
  readonly detail: string;
}

/** How the detail of a fault begins that a field is which the schema does not have. */
export const UNKNOWN_FIELD = 'is not a known field';

/** Letters that may differ between what was written and what was probably meant, for each three of them one. */
const LETTERS_PER_TYPO = 3;

/**
 * The issues of a failed parse in words for whoever wrote the value: what is missing, what was given instead, which known
 * field was probably meant.
 */
export function schemaFaults(
  schema: z.core.$ZodType,
  value: unknown,
  issues: readonly z.core.$ZodIssue[],
): SchemaFault[] {
  return issues.flatMap((issue): SchemaFault[] => {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys')
      return [{ pointer: pointerTo(path), detail: explain(issue, valueAt(value, path), schema, path) }];
    const known = fieldsOf(schemasAt([schema], path));
    return issue.keys.map((key) => ({
      pointer: pointerTo([...path, key]),
      detail: unknownField(key, known),
    }));
  });
}

/** A JSON pointer as RFC 6901 escapes it. */
export function pointerTo(path: readonly string[]): string {
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function explain(
  issue: z.core.$ZodIssue,
  given: unknown,
  schema: z.core.$ZodType,
  path: readonly string[],
): string {
  // Everything that a schema says in words of its own is better than what can be made up here.
  const isDefault = /^(Invalid (input|option|discriminator)|Too (small|big))/.test(issue.message);
  if (!isDefault) return issue.message;
  if (given === undefined) return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${withArticle(issue.expected)}, not ${describe(given)}`;
    case 'invalid_value':
      return `must be ${issue.values.map((each) => JSON.stringify(each)).join(' or ')}, not ${describe(given)}`;
    case 'invalid_union': {
      const kinds = literalsOf(schemasAt([schema], path.slice(0, -1)), path.at(-1) ?? '');
      return kinds.length > 0
        ? `must be ${kinds.join(' or ')}, not ${describe(given)}`
        : `is no value of any known form`;
    }
    case 'too_small':
      return `must ${amount(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${amount(issue.origin, 'at most', issue.maximum)}`;
    case 'unrecognized_keys':
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return issue.message;
  }
}

function amount(origin: string, bound: string, limit: number | bigint): string {
  switch (origin) {
    case 'string':
      return `have ${bound} ${limit} characters`;
    case 'array':
    case 'set':
      return `have ${bound} ${limit} items`;
    default:
      return `be ${bound} ${limit}`;
  }
}

function unknownField(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `${UNKNOWN_FIELD}: did you mean "${meant}"?`;
  return known.length === 0 ? UNKNOWN_FIELD : `${UNKNOWN_FIELD}: there are ${known.join(', ')}`;
}

function nearest(key: string, known: readonly string[]): string | undefined {
  const tolerated = Math.max(1, Math.floor(key.length / LETTERS_PER_TYPO));
  const [best] = known
    .map((name) => ({ name, typos: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ typos }) => typos <= tolerated)
    .toSorted((a, b) => a.typos - b.typos);
  return best?.name;
}

/** Levenshtein's: letters to add, leave out or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The schemas that may apply at a path: several where a union is on the way. */
function schemasAt(schemas: readonly z.core.$ZodType[], path: readonly string[]): z.core.$ZodType[] {
  const here = schemas.flatMap(alternatives);
  const [part, ...rest] = path;
  if (part === undefined) return here;
  return schemasAt(
    here.flatMap((schema): z.core.$ZodType[] => {
      if (schema instanceof z.ZodObject) {
        const field: unknown = Reflect.get(schema.shape, part);
        return field instanceof z.ZodType ? [field] : [];
      }
      if (schema instanceof z.ZodArray) return [schema.element];
      return schema instanceof z.ZodRecord ? [schema.valueType] : [];
    }),
    rest,
  );
}

/** Itself without what is wrapped around it, or each form of a union. */
function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(alternatives);
  if (WRAPPERS.some((wrapper) => schema instanceof wrapper))
    return alternatives((schema as z.ZodOptional).unwrap()); // `as`: all of them unwrap alike
  return schema instanceof z.ZodPipe ? alternatives(schema.in) : [schema];
}

function fieldsOf(schemas: readonly z.core.$ZodType[]): string[] {
  return [
    ...new Set(schemas.flatMap((each) => (each instanceof z.ZodObject ? Object.keys(each.shape) : []))),
  ];
}

function literalsOf(schemas: readonly z.core.$ZodType[], field: string): string[] {
  return schemasAt(schemas, [field]).flatMap((each) =>
    each instanceof z.ZodLiteral ? [...each.values].map((literal) => JSON.stringify(literal)) : [],
  );
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = Reflect.get(at, part);
  }
  return at;
}

function withArticle(expected: string): string {
  const name = { int: 'whole number', record: 'object', nonoptional: 'value' }[expected] ?? expected;
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** Text and numbers are shown, in part; of the rest what kind it is. */
function describe(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given.length > 40 ? `${given.slice(0, 40)}…` : given);
  if (typeof given === 'number' || typeof given === 'boolean' || given === null) return String(given);
  return Array.isArray(given) ? 'an array' : withArticle(typeof given);
}

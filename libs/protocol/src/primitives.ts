import { z } from 'zod';
import { LIMITS } from './limits.js';

/** An unsigned integer of any size as a decimal string: 64 bits do not hold a year of everybody's cycles. */
export const decimalString = z
  .string()
  // Aborting, so that refinements may rely on BigInt().
  .regex(/^(0|[1-9]\d{0,38})$/, {
    error: 'must be an unsigned decimal integer without leading zeros, as a string',
    abort: true,
  })
  .meta({
    id: 'DecimalString',
    description: 'Unsigned integer as a decimal string',
    examples: ['152300000000'],
  });

/** A database identity as a decimal string. */
export const entityId = z
  .string()
  .regex(/^[1-9]\d{0,17}$/, 'must be a positive decimal id of at most 18 digits, as a string')
  .meta({ id: 'EntityId', description: 'Positive whole number, as a string', examples: ['42'] });

/** SHA-256 as 64 lower-case hexadecimal digits, without prefix. */
export const sha256Hex = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits (SHA-256)')
  .meta({ id: 'Sha256', description: 'SHA-256 in hexadecimal digits' });

/** `sha256:` followed by 64 lower-case hexadecimal digits: names a blob by its content. */
export const blobId = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be "sha256:" followed by 64 lower-case hexadecimal digits')
  .meta({ id: 'BlobId', description: '`sha256:` and the SHA-256 of the content' });
export type BlobId = z.infer<typeof blobId>;

/** The SHA-256 in the name of a blob, in hex. */
export function hexOfBlobId(id: BlobId): string {
  return id.slice('sha256:'.length);
}

const IDENTIFIER_RULE = 'must start with a letter and hold up to 63 letters, digits, "_" or "-"';

/** Names that become parts of paths and placeholders: inputs, outputs, splits. */
export const identifier = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, IDENTIFIER_RULE);

/** Values by names that are {@link identifier}s; a name that is none is told what it may hold. */
export function namedValues<T extends z.ZodType>(value: T) {
  return z.record(identifier, value, {
    error: ({ code }) => (code === 'invalid_key' ? `is no name: it ${IDENTIFIER_RULE}` : undefined),
  });
}

/** Lower-case names of projects and apps. */
export const slug = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be 1 to 63 lower-case letters, digits or inner hyphens',
  );

export const versionName = z
  .string()
  .regex(/^[0-9A-Za-z](?:[0-9A-Za-z.+-]{0,30}[0-9A-Za-z])?$/, 'must be a version such as 1 or 1.2.0');

/** `name@version` of an app. */
export const appVersionRef = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?@[0-9A-Za-z](?:[0-9A-Za-z.+-]{0,30}[0-9A-Za-z])?$/,
    'must be NAME@VERSION',
  );

/** Neither a database nor an argument of a program can hold the others, and half a surrogate pair has no UTF-8. */
export function isPlain(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
const PLAIN = { error: 'must not hold a NUL character or half of a surrogate pair' };

/** Text for people or programs, of at most `maxLength` UTF-16 code units, without NUL characters and lone surrogates. */
export function plainText(maxLength: number) {
  return z.string().max(maxLength).refine(isPlain, PLAIN);
}

/** Plain text in one line: what controls a terminal, or begins another line, is in nobody's name. */
export function lineOf(maxLength: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .refine(isPlain, { ...PLAIN, abort: true })
    .refine((text) => !/[\p{Cc}\u2028\u2029]/u.test(text), {
      error: 'must be one line, without control characters',
    });
}

export const displayName = lineOf(LIMITS.nameLength);

/** `unitId.ordinal`: one instance of a work unit. */
export const taskId = z
  .string()
  .regex(/^[1-9]\d{0,17}\.\d{1,3}$/, { error: 'must be UNIT.ORDINAL', abort: true })
  .refine((id) => Number.isSafeInteger(Number.parseInt(id, 10)), 'must name a unit below 2^53')
  .meta({ id: 'TaskId', description: '`UNIT.ORDINAL`', examples: ['81234.0'] });
export type TaskId = z.infer<typeof taskId>;

/** Splits a {@link taskId} into its two numbers; both fit a double exactly below 2^53 units. */
export function parseTaskId(id: TaskId): { unitId: number; ordinal: number } {
  const dot = id.indexOf('.');
  const unitId = Number(id.slice(0, dot));
  const ordinal = Number(id.slice(dot + 1));
  if (dot < 1 || !Number.isSafeInteger(unitId) || !Number.isSafeInteger(ordinal)) {
    throw new TypeError(`not a task id: ${id}`);
  }
  return { unitId, ordinal };
}

/** The opposite of {@link parseTaskId}. */
export function formatTaskId(unitId: number, ordinal: number): TaskId {
  return `${unitId}.${ordinal}`;
}

export const isoInstant = z.iso
  .datetime({ offset: true })
  .meta({ id: 'Instant', description: 'ISO 8601; in answers of UTC' });

/** A page of a keyset-paginated list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('For `cursor` of the next page; null on the last one.'),
  });
}

export const pageQuery = z.strictObject({
  cursor: z.string().max(200).optional().describe('The `nextCursor` of the page before.'),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSize).default(50).describe('Items of a page.'),
});

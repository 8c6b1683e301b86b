import { z } from 'zod';
import { DatabaseUnsuitedError } from './data-source.js';

const advised = z.object({ hint: z.string().min(1) });

/**
 * What a server that is not there, or a role that may not do what we need, is told by. Classes of SQLSTATE, whose first two
 * characters they are: connection, log-in, no such database, limits such as a full disk, shutting down, files; and 25006, read-only,
 * 42501, no right, and 55000, what a server cannot do while it follows another.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQLSTATES = /^(?:08|28|3D|53|57P|58|0A000|25006|42501|55000)/;
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
]);

/** Why the operator has to look at the database, or at how it is named; null where that is not what is wrong. */
export function whyUnusable(error: unknown): string | null {
  if (error instanceof DatabaseUnsuitedError) return error.message;
  if (!(error instanceof Error) || !('code' in error)) return null;
  const { code } = error;
  if (typeof code !== 'string' || !(NETWORK.has(code) || SQLSTATES.test(code))) return null;
  return messageOf(error);
}

/** What an error says, and what a server advises beside it. */
export function messageOf(error: unknown): string {
  // A name with several addresses, as `localhost` mostly has: Node says what happened at each, and nothing of the whole.
  if (error instanceof AggregateError) return error.errors.map(({ message }: Error) => message).join(', ');
  if (!(error instanceof Error)) return String(error);
  const { success, data } = advised.safeParse(error);
  return success ? `${error.message} (${data.hint})` : error.message;
}

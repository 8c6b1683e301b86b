import { DatabaseUnsuitedError } from './data-source.js';

/**
 * What a server that is not there, or a role that may not do what we need, is told by. Classes of SQLSTATE, whose first two
 * characters they are: connection, log-in, no such database, too many connections, shutting down; and 42501, no right.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQLSTATES = /^(?:08|28|3D|53|57P|42501)/;
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
  if (!(error instanceof AggregateError)) return error.message;
  // A name with several addresses, as `localhost` mostly has: Node says what happened at each, and nothing of the whole.
  return error.errors.map(({ message }: Error) => message).join(', ');
}

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

/** Whether the operator has to look at the database, or at how it is named, rather than at us. */
export function isDatabaseUnusable(error: unknown): error is Error {
  if (error instanceof DatabaseUnsuitedError) return true;
  if (!(error instanceof Error) || !('code' in error)) return false;
  const { code } = error;
  return typeof code === 'string' && (NETWORK.has(code) || SQLSTATES.test(code));
}

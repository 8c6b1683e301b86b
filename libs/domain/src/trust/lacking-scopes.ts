import type { Scope } from '@gleaner/protocol';

/** What of `wanted` a token with `held` may not do. A token gives nothing, and ends nothing, that may do more than itself. */
export function lackingScopes(held: readonly Scope[], wanted: readonly Scope[]): Scope[] {
  return wanted.filter((scope) => !held.includes(scope));
}

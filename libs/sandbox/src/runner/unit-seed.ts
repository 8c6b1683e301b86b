import { sha256HexOf } from './sha256.js';

/** What a unit's randomness depends on: the app, its arguments and environment, and which bytes it is given. */
export interface SeedParts {
  /** SHA-256 of the rewritten module, hex. */
  readonly moduleSha256: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Windows by input name: the content they are cut from, offset and length in bytes. */
  readonly inputs: Readonly<
    Record<string, { readonly blobId: string; readonly offset: number; readonly length: number }>
  >;
}

/**
 * The seed of a unit, 32 bytes as hex. The same app over the same arguments and input windows draws the same numbers on
 * every host, in a local run and when the job is submitted again.
 */
export function seedOfUnit({ moduleSha256, args, env, inputs }: SeedParts): string {
  // Arrays of sorted pairs, so that the order in which an object was built does not matter.
  const text = JSON.stringify([
    'gleaner-seed-1',
    moduleSha256,
    args,
    sortedEntries(env),
    sortedEntries(inputs).map(([name, { blobId, offset, length }]) => [name, blobId, offset, length]),
  ]);
  return sha256HexOf(new TextEncoder().encode(text));
}

function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

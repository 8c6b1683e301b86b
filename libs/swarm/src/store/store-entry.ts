import type { Bitmap } from '../engine/bitmap.js';
import type { ChunkFile } from './chunk-file.js';

/** What the store knows of one manifest. */
export interface StoreEntry {
  /** Undefined while nobody needs it open, or it is only known from an earlier run. */
  file: ChunkFile | undefined;
  /** While no file is open. */
  closedBytes: number;
  closedHave: Bitmap | undefined;
  /** How many claims a chunk has. */
  readonly claimed: Map<number, number>;
  /** Who counts on the file to stay open. */
  holders: number;
  lastUse: number;
}

export function newEntry(known: Pick<StoreEntry, 'closedBytes' | 'closedHave' | 'lastUse'>): StoreEntry {
  return { ...known, file: undefined, claimed: new Map(), holders: 0 };
}

/** Closes the entry's file, if it is open; what is in it stays. */
export async function closeEntry(entry: StoreEntry): Promise<void> {
  const { file } = entry;
  if (!file) return;
  // What cannot be flushed now is fetched again when it is needed.
  await file.close().catch(() => undefined);
  entry.closedBytes = file.storedBytes;
  entry.closedHave = file.have;
  entry.file = undefined;
}

/**
 * Keeps the entry's file open and chunks of it where they are.
 *
 * @param use counts another use
 * @returns what lets go of them; calling it twice is safe
 */
export function hold(entry: StoreEntry, chunks: readonly number[], use: () => number): () => void {
  entry.holders += 1;
  for (const chunk of chunks) entry.claimed.set(chunk, (entry.claimed.get(chunk) ?? 0) + 1);
  let isReleased = false;
  return () => {
    if (isReleased) return;
    isReleased = true;
    entry.holders -= 1;
    entry.lastUse = use();
    for (const chunk of chunks) {
      const left = (entry.claimed.get(chunk) ?? 1) - 1;
      if (left > 0) entry.claimed.set(chunk, left);
      else entry.claimed.delete(chunk);
    }
  };
}

/** Claimed chunks that are not there yet included. */
export function usedBytesOf({ file, closedBytes, claimed }: StoreEntry): number {
  if (!file) return closedBytes;
  let bytes = file.storedBytes;
  for (const chunk of claimed.keys()) if (!file.have.has(chunk)) bytes += file.chunkLength(chunk);
  return bytes;
}

export function claimedBytesOf({ file, claimed }: StoreEntry): number {
  let bytes = 0;
  for (const chunk of claimed.keys()) bytes += file?.chunkLength(chunk) ?? 0;
  return bytes;
}

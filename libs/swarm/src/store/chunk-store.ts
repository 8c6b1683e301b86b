import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '@gleaner/protocol';
import { ChunkFile } from './chunk-file.js';
import { decodeHaveRecord, storedBytes } from './have-file.js';

/** Open tasks need so much of the store that nothing more fits. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
  constructor(
    readonly quotaBytes: number,
    readonly usedBytes: number,
    readonly neededBytes: number,
  ) {
    super(
      `the chunk store may hold ${quotaBytes} bytes; ${usedBytes} are in use and ${neededBytes} more are wanted`,
    );
  }
}

/** A file as the eviction policy sees it. */
export interface EvictionCandidate {
  readonly manifestId: string;
  readonly storedBytes: number;
  /** Grows with every use; the smallest was used longest ago. */
  readonly lastUse: number;
}

/** Chooses whole files to remove, in order, among those that no open task needs. */
export type EvictionPolicy = (
  candidates: readonly EvictionCandidate[],
  neededBytes: number,
) => readonly string[];

export interface ChunkStoreInit {
  readonly directory: string;
  /** Bytes that all chunks may take together. */
  readonly quotaBytes: number;
  /** Least recently used first when left out. */
  readonly evict?: EvictionPolicy;
  /** Called before a file is removed, so that it is no longer offered to peers. */
  readonly onEvicted?: (manifestId: string) => void;
}

interface Entry {
  /** Undefined while it is only known from an earlier run. */
  file: Promise<ChunkFile> | undefined;
  storedBytes: number;
  pins: number;
  lastUse: number;
}

/** Chunk files of many manifests within one quota. One process at a time may open a directory. */
export class ChunkStore {
  readonly #entries = new Map<string, Entry>();
  #uses = 0;
  #room: Promise<unknown> = Promise.resolve();

  private constructor(private readonly init: ChunkStoreInit) {}

  static async open(init: ChunkStoreInit): Promise<ChunkStore> {
    const store = new ChunkStore(init);
    await mkdir(init.directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(init.directory)) {
      const manifestId = /^([0-9a-f]{64})\.have$/.exec(name)?.[1];
      if (!manifestId) continue;
      const record = decodeHaveRecord(await readFile(join(init.directory, name)));
      store.#entries.set(manifestId, {
        file: undefined,
        storedBytes: record ? storedBytes(record) : 0,
        pins: 0,
        lastUse: 0,
      });
    }
    return store;
  }

  /** Bytes of all chunks, those of files not open included. */
  get usedBytes(): number {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.storedBytes;
    return bytes;
  }

  /** Opens a manifest's file. It may be evicted as long as it is not pinned. */
  async openFile(manifestId: string, manifest: Manifest): Promise<ChunkFile> {
    let entry = this.#entries.get(manifestId);
    if (!entry) {
      entry = { file: undefined, storedBytes: 0, pins: 0, lastUse: 0 };
      this.#entries.set(manifestId, entry);
    }
    entry.lastUse = this.#uses += 1;
    entry.file ??= ChunkFile.open(join(this.init.directory, manifestId), manifest);
    const file = await entry.file;
    entry.storedBytes = file.storedBytes;
    return file;
  }

  /** Keeps a file until the returned function is called; calling it twice is safe. */
  pin(manifestId: string): () => void {
    const entry = this.#opened(manifestId);
    entry.pins += 1;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      entry.pins -= 1;
      entry.lastUse = this.#uses += 1;
    };
  }

  /**
   * Stores a chunk that the caller has compared with the manifest, evicting other files when needed.
   *
   * @throws {StoreFullError} when pinned files leave no room
   */
  async write(manifestId: string, index: number, bytes: Uint8Array): Promise<void> {
    const entry = this.#opened(manifestId);
    const file = await entry.file;
    if (!file || file.have.has(index)) return;
    await this.#makeRoom(manifestId, bytes.length);
    try {
      await file.write(index, bytes);
    } finally {
      entry.storedBytes = Math.max(
        file.storedBytes,
        entry.storedBytes - (file.have.has(index) ? 0 : bytes.length),
      );
    }
  }

  async flush(): Promise<void> {
    for (const { file } of this.#entries.values()) await (await file)?.flush();
  }

  /** Closes all files in good order; closing twice is safe. */
  async close(): Promise<void> {
    for (const { file } of this.#entries.values()) await (await file)?.close();
  }

  /** One after the other, so that two writers do not count on the same room. */
  async #makeRoom(keep: string, neededBytes: number): Promise<void> {
    const turn = this.#room.then(() => this.#evict(keep, neededBytes));
    this.#room = turn.catch(() => undefined);
    return turn;
  }

  async #evict(keep: string, neededBytes: number): Promise<void> {
    const entry = this.#opened(keep);
    // Counted before it is written: writes of several chunks run at once.
    entry.storedBytes += neededBytes;
    const excess = this.usedBytes - this.init.quotaBytes;
    if (excess <= 0) return;
    const candidates = [...this.#entries]
      .filter(([manifestId, entry]) => manifestId !== keep && entry.pins === 0)
      .map(([manifestId, { storedBytes: bytes, lastUse }]) => ({ manifestId, storedBytes: bytes, lastUse }));
    const policy = this.init.evict ?? leastRecentlyUsed;
    for (const manifestId of policy(candidates, excess)) await this.#remove(manifestId);
    if (this.usedBytes > this.init.quotaBytes) {
      entry.storedBytes -= neededBytes;
      throw new StoreFullError(this.init.quotaBytes, this.usedBytes, neededBytes);
    }
  }

  async #remove(manifestId: string): Promise<void> {
    const entry = this.#entries.get(manifestId);
    if (!entry || entry.pins > 0) return;
    this.init.onEvicted?.(manifestId);
    this.#entries.delete(manifestId);
    await (await entry.file)?.close();
    // The bitmap first: data without a bitmap is garbage, a bitmap without data would be a lie.
    await rm(join(this.init.directory, `${manifestId}.have`), { force: true });
    await rm(join(this.init.directory, `${manifestId}.data`), { force: true });
  }

  #opened(manifestId: string): Entry {
    const entry = this.#entries.get(manifestId);
    if (!entry?.file) throw new RangeError(`no open file of manifest ${manifestId}`);
    return entry;
  }
}

function leastRecentlyUsed(candidates: readonly EvictionCandidate[], neededBytes: number): string[] {
  const chosen: string[] = [];
  let freed = 0;
  for (const candidate of candidates.toSorted((a, b) => a.lastUse - b.lastUse)) {
    if (freed >= neededBytes) break;
    chosen.push(candidate.manifestId);
    freed += candidate.storedBytes;
  }
  return chosen;
}

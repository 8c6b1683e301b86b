import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '@gleaner/protocol';
import type { Bitmap } from '../engine/bitmap.js';
import { ChunkFile } from './chunk-file.js';
import { leastRecentlyUsed, PROMISED_SHARE, withinPromise, type EvictionPolicy } from './eviction.js';
import { FlushTimer } from './flush-timer.js';
import { storedBytes } from './have-file.js';
import { claimedBytesOf, closeEntry, hold, newEntry, usedBytesOf, type StoreEntry } from './store-entry.js';
import { findStoredFiles } from './stored-files.js';

/** Open tasks need so much of the store that nothing more fits. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
  constructor(
    readonly quotaBytes: number,
    readonly usedBytes: number,
    readonly neededBytes: number,
  ) {
    super(
      `the chunk store may hold ${quotaBytes} bytes; open tasks need ${usedBytes} of them and ${neededBytes} more are wanted`,
    );
  }
}

export interface ChunkStoreInit {
  readonly directory: string;
  /** Bytes that all chunks may take together. */
  readonly quotaBytes: number;
  /** Least recently used first when left out. */
  readonly evict?: EvictionPolicy;
  /** Files that others count on: they are evicted after all others, up to {@link PROMISED_SHARE} of the quota. */
  readonly isPromised?: (manifestId: string) => boolean;
  /** Called before chunks of a file are removed, so that nobody offers or writes them any longer. */
  readonly onEvicting?: (manifestId: string) => Promise<void> | void;
  /** Called after that; `isKept` when chunks of the file are left, which may be offered and written again. */
  readonly onEvicted?: (manifestId: string, isKept: boolean) => void;
}

/** Chunks that stay, and room for those that are missing, until it is released; releasing twice is safe. */
export interface ChunkClaim extends Disposable {
  readonly file: ChunkFile;
  /** Claimed chunks that are not there, ascending. */
  readonly missing: readonly number[];
}

export interface ClaimOptions {
  /** Take only room that is free: nothing is evicted for it. */
  readonly isOptional?: boolean;
}

/** Open files that nobody holds: who meets thousands of inputs in a week must not run out of handles. */
const MAX_IDLE_FILES = 128;

/**
 * Chunks of many manifests within one quota: what tasks compute on and what the swarm shares are the same bytes. Chunks that no
 * open task has claimed are evicted, the least recently used file's first, what was promised to others last. One process at a time may open a directory.
 */
export class ChunkStore {
  readonly #entries = new Map<string, StoreEntry>();
  #uses = 0;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #flushTimer = new FlushTimer(() => this.flush());

  private constructor(private readonly init: ChunkStoreInit) {}

  static async open(init: ChunkStoreInit): Promise<ChunkStore> {
    const store = new ChunkStore(init);
    await mkdir(init.directory, { recursive: true, mode: 0o700 });
    for (const { manifestId, record } of await findStoredFiles(init.directory)) {
      const closed = { closedBytes: storedBytes(record), closedHave: record.have };
      const lastUse = (store.#uses += 1);
      store.#entries.set(manifestId, newEntry({ ...closed, lastUse }));
    }
    return store;
  }

  /** Bytes of all chunks, those that are claimed and not there yet included. */
  get usedBytes(): number {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += usedBytesOf(entry);
    return bytes;
  }

  get freeBytes(): number {
    return Math.max(0, this.init.quotaBytes - this.usedBytes);
  }

  /** Manifests of which chunks are stored, the most recently used first. */
  get manifestIds(): string[] {
    return [...this.#entries]
      .filter(([, entry]) => (entry.file?.have.size ?? entry.closedBytes) > 0)
      .sort(([, a], [, b]) => b.lastUse - a.lastUse)
      .map(([manifestId]) => manifestId);
  }

  /** Which chunks of the manifest are stored; undefined where none are. */
  have(manifestId: string): Bitmap | undefined {
    const entry = this.#entries.get(manifestId);
    return entry?.file?.have ?? entry?.closedHave;
  }

  /** The manifest's file, if it is open. */
  file(manifestId: string): ChunkFile | undefined {
    return this.#entries.get(manifestId)?.file;
  }

  /**
   * Opens a manifest's file without claiming any of it.
   *
   * @param use called with the file before anything of it can be evicted, as it may be as soon as this resolves
   */
  async openFile(
    manifestId: string,
    manifest: Manifest,
    use: (file: ChunkFile) => void = () => undefined,
  ): Promise<ChunkFile> {
    return this.#inTurn(async () => {
      const { file } = await this.#open(manifestId, manifest);
      await this.#closeIdle();
      use(file);
      return file;
    });
  }

  /**
   * Keeps chunks, and makes room for those of them that are missing.
   *
   * @throws {StoreFullError} when what open tasks have claimed leaves no room
   */
  async claim(
    manifestId: string,
    manifest: Manifest,
    indices: Iterable<number>,
    options: ClaimOptions = {},
  ): Promise<ChunkClaim> {
    const chunks = [...new Set(indices)].sort((a, b) => a - b);
    const use = (): number => (this.#uses += 1);
    // What is there stays there while it is being read through, which takes long and is nobody else's turn.
    const { entry, file, letGo } = await this.#inTurn(async () => {
      const opened = await this.#open(manifestId, manifest);
      const present = chunks.filter((chunk) => opened.file.have.has(chunk));
      return { ...opened, letGo: hold(opened.entry, present, use) };
    });
    try {
      const missing: number[] = [];
      // Damage shows here, at the first use, rather than in a task's answer.
      for (const chunk of chunks) if (!(await file.verify(chunk))) missing.push(chunk);
      return await this.#inTurn(async () => {
        const release = hold(entry, chunks, use);
        try {
          await this.#makeRoom(options.isOptional ?? false);
          await this.#closeIdle();
        } catch (error) {
          release();
          throw error;
        }
        return { file, missing, [Symbol.dispose]: release };
      });
    } finally {
      letGo();
    }
  }

  /** Stores a claimed chunk that the caller has compared with the manifest. */
  async write(manifestId: string, index: number, bytes: Uint8Array): Promise<void> {
    await this.#opened(manifestId).write(index, bytes);
    this.#flushTimer.restart();
  }

  /** Takes note of a claimed chunk that the swarm's process has verified and written into the data file. */
  markStored(manifestId: string, index: number): void {
    this.file(manifestId)?.markStored(index);
    this.#flushTimer.restart();
  }

  /** Makes everything written so far survive a crash. */
  async flush(): Promise<void> {
    await this.#forAll((file) => file.flush());
  }

  /** Closes all files in good order; closing twice is safe. */
  async close(): Promise<void> {
    this.#flushTimer.stop();
    await this.#inTurn(() => this.#forAll((file) => file.close()));
  }

  /** Also where one of them fails, as on a full disk; rejects with the first failure. */
  async #forAll(action: (file: ChunkFile) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    for (const { file } of this.#entries.values()) {
      if (file) await action(file).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  /** One after the other, so that two claims do not count on the same room. */
  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #open(manifestId: string, manifest: Manifest): Promise<{ entry: StoreEntry; file: ChunkFile }> {
    let entry = this.#entries.get(manifestId);
    if (!entry) {
      entry = newEntry({ closedBytes: 0, closedHave: undefined, lastUse: 0 });
      this.#entries.set(manifestId, entry);
    }
    entry.lastUse = this.#uses += 1;
    if (entry.file && !(await entry.file.isInPlace())) await this.#forgetLost(manifestId, entry);
    if (!entry.file) {
      await mkdir(this.init.directory, { recursive: true, mode: 0o700 });
      entry.file = await ChunkFile.open(join(this.init.directory, manifestId), manifest);
    }
    entry.closedHave = undefined;
    return { entry, file: entry.file };
  }

  /** Somebody has removed the file, or cut it short, while it was open: it begins anew, and what it held is brought again. */
  async #forgetLost(manifestId: string, entry: StoreEntry): Promise<void> {
    try {
      await this.init.onEvicting?.(manifestId);
      await closeEntry(entry);
      entry.closedBytes = 0;
      await this.#removeFiles(manifestId);
    } finally {
      this.init.onEvicted?.(manifestId, true);
    }
  }

  /** Of too many files that nobody holds, those that were used longest ago are closed; what is in them stays. */
  async #closeIdle(): Promise<void> {
    const idle = [...this.#entries.values()].filter(({ file, holders }) => file && holders === 0);
    const excess = Math.max(0, idle.length - MAX_IDLE_FILES);
    for (const entry of idle.toSorted((a, b) => a.lastUse - b.lastUse).slice(0, excess))
      await closeEntry(entry);
  }

  async #makeRoom(isOptional: boolean): Promise<void> {
    const excess = this.usedBytes - this.init.quotaBytes;
    if (excess <= 0) return;
    if (!isOptional) {
      const candidates = [...this.#entries]
        .map(([manifestId, entry]) => ({
          manifestId,
          evictableBytes: usedBytesOf(entry) - claimedBytesOf(entry),
          lastUse: entry.lastUse,
          isPromised: this.init.isPromised?.(manifestId) ?? false,
        }))
        .filter(({ evictableBytes }) => evictableBytes > 0);
      const policy = this.init.evict ?? leastRecentlyUsed;
      const promised = withinPromise(candidates, this.init.quotaBytes * PROMISED_SHARE);
      for (const manifestId of policy(promised, excess)) await this.#evict(manifestId);
    }
    const usedBytes = this.usedBytes;
    if (usedBytes > this.init.quotaBytes) {
      throw new StoreFullError(this.init.quotaBytes, usedBytes - excess, excess);
    }
  }

  async #evict(manifestId: string): Promise<void> {
    const entry = this.#entries.get(manifestId);
    if (!entry) return;
    const isKept = entry.file !== undefined && entry.holders > 0;
    try {
      await this.init.onEvicting?.(manifestId);
      await this.#removeUnclaimed(manifestId, entry);
    } finally {
      this.init.onEvicted?.(manifestId, isKept);
    }
  }

  async #removeUnclaimed(manifestId: string, entry: StoreEntry): Promise<void> {
    // A holder without chunks is about to claim some that are missing.
    if (entry.file && entry.holders > 0) {
      await entry.file.shrinkTo(new Set(entry.claimed.keys()));
      return;
    }
    this.#entries.delete(manifestId);
    // A full disk may take no bitmap any more, and gets room from what is removed here.
    await entry.file?.close().catch(() => undefined);
    await this.#removeFiles(manifestId);
  }

  async #removeFiles(manifestId: string): Promise<void> {
    // The bitmap first: data without a bitmap is garbage, a bitmap without data would be a lie.
    await rm(join(this.init.directory, `${manifestId}.have`), { force: true });
    await rm(join(this.init.directory, `${manifestId}.data`), { force: true });
  }

  #opened(manifestId: string): ChunkFile {
    const file = this.file(manifestId);
    if (!file) throw new RangeError(`no open file of manifest ${manifestId}`);
    return file;
  }
}

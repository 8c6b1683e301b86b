import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from './sha256.js';

/** A file that stays on disk until it is released. */
export interface PinnedContent extends Disposable {
  readonly path: string;
  readonly sizeBytes: number;
  /** Lets the cache evict the file again; releasing twice is safe. */
  release(): void;
}

/** Open tasks need so much of the cache that nothing more fits. */
export class CacheFullError extends Error {
  override readonly name = 'CacheFullError';
  constructor(
    readonly quotaBytes: number,
    readonly pinnedBytes: number,
    readonly neededBytes: number,
  ) {
    super(
      `the cache of modules may hold ${quotaBytes} bytes; open tasks need ${pinnedBytes} of them and ${neededBytes} more are wanted`,
    );
  }
}

interface Entry {
  readonly sizeBytes: number;
  pins: number;
  /** Hashed since this process opened the cache: a crash or a bad disk may have left anything under the name. */
  verified: boolean;
}

export interface ContentCacheInit {
  readonly directory: string;
  /** Bytes that the files may take together. */
  readonly quotaBytes: number;
}

/**
 * Manifests and modules on disk, each under its SHA-256, within a quota. Chunks are in the `ChunkStore`.
 *
 * Files are written beside their name and renamed, verified once a process before their first use, and evicted least
 * recently used first, never while pinned. One process at a time may open a directory.
 */
export class ContentCache {
  /** In order of use, the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #verifying = new Map<string, Promise<boolean>>();
  #lastWrite: Promise<void> = Promise.resolve();
  #usedBytes = 0;
  #temporary = 0;

  private constructor(private readonly init: ContentCacheInit) {}

  static async open(init: ContentCacheInit): Promise<ContentCache> {
    const cache = new ContentCache(init);
    await mkdir(init.directory, { recursive: true, mode: 0o700 });
    const found: Array<{ name: string; sizeBytes: number; usedAtMs: number }> = [];
    for (const name of await readdir(init.directory)) {
      const path = join(init.directory, name);
      if (/^[0-9a-f]{64}$/.test(name)) {
        const { size, mtimeMs } = await stat(path);
        found.push({ name, sizeBytes: size, usedAtMs: mtimeMs });
      } else if (name.startsWith('tmp-')) {
        await rm(path, { force: true });
      }
    }
    found.sort((a, b) => a.usedAtMs - b.usedAtMs);
    for (const { name, sizeBytes } of found) {
      cache.#entries.set(name, { sizeBytes, pins: 0, verified: false });
      cache.#usedBytes += sizeBytes;
    }
    await cache.#evictDownTo(init.quotaBytes);
    return cache;
  }

  /** Bytes on disk. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The file of this SHA-256 (hex), pinned, or undefined when it is absent or was found damaged (and removed). */
  async pin(sha256: string): Promise<PinnedContent | undefined> {
    const entry = this.#entries.get(sha256);
    if (!entry) return undefined;
    entry.pins += 1;
    if (entry.verified && !(await this.#isThere(sha256, entry))) entry.verified = false;
    if (!entry.verified && !(await this.#verify(sha256, entry))) {
      entry.pins -= 1;
      return undefined;
    }
    return this.#pinned(sha256, entry);
  }

  /**
   * Stores bytes whose SHA-256 (hex) the caller has verified, and pins them.
   *
   * @throws {CacheFullError} when pinned files leave no room
   */
  async put(sha256: string, bytes: Uint8Array): Promise<PinnedContent> {
    return this.#exclusively(async () => {
      const present = await this.pin(sha256);
      if (present) return present;
      await this.#evictDownTo(this.init.quotaBytes - bytes.length);
      if (this.#usedBytes + bytes.length > this.init.quotaBytes) {
        throw new CacheFullError(this.init.quotaBytes, this.#usedBytes, bytes.length);
      }
      await this.#write(sha256, bytes);
      const entry: Entry = { sizeBytes: bytes.length, pins: 1, verified: true };
      this.#entries.set(sha256, entry);
      this.#usedBytes += bytes.length;
      return this.#pinned(sha256, entry);
    });
  }

  /** Writers and removers one after the other: a name is never removed while somebody writes it anew. */
  async #exclusively<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#lastWrite.then(action);
    this.#lastWrite = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  async #write(sha256: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.init.directory, `tmp-${process.pid}-${(this.#temporary += 1)}`);
    await mkdir(this.init.directory, { recursive: true, mode: 0o700 });
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        // No fsync: what a power cut damages is found by its hash and fetched again.
        await file.writeFile(bytes);
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path(sha256));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Whether nobody has removed the file, or cut it short, since it was verified. */
  async #isThere(sha256: string, { sizeBytes }: Entry): Promise<boolean> {
    return stat(this.#path(sha256)).then(
      ({ size }) => size === sizeBytes,
      () => false,
    );
  }

  async #verify(sha256: string, entry: Entry): Promise<boolean> {
    let check = this.#verifying.get(sha256);
    if (!check) {
      check = readFile(this.#path(sha256)).then(
        (bytes) => sha256Hex(bytes) === sha256,
        () => false,
      );
      this.#verifying.set(sha256, check);
    }
    const good = await check;
    this.#verifying.delete(sha256);
    if (good) {
      entry.verified = true;
    } else {
      // The damaged file stays under its name until the next put replaces it.
      this.#forget(sha256, entry);
    }
    return good;
  }

  #pinned(sha256: string, entry: Entry): PinnedContent {
    this.#entries.delete(sha256);
    this.#entries.set(sha256, entry);
    const path = this.#path(sha256);
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      entry.pins -= 1;
      const now = new Date();
      // Only orders the next start's eviction: losing it is harmless.
      utimes(path, now, now).catch(() => undefined);
    };
    return { path, sizeBytes: entry.sizeBytes, release, [Symbol.dispose]: release };
  }

  async #evictDownTo(bytes: number): Promise<void> {
    for (const [sha256, entry] of this.#entries) {
      if (this.#usedBytes <= bytes) return;
      if (entry.pins > 0) continue;
      this.#forget(sha256, entry);
      await rm(this.#path(sha256), { force: true });
    }
  }

  #forget(sha256: string, entry: Entry): void {
    if (this.#entries.get(sha256) !== entry) return;
    this.#entries.delete(sha256);
    this.#usedBytes -= entry.sizeBytes;
  }

  #path(sha256: string): string {
    return join(this.init.directory, sha256);
  }
}

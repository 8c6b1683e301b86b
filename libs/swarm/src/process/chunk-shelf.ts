import { sha256Hex } from '../sha256.js';
import { ChunkDamagedError } from '../store/index.js';
import { ChunkBuffers } from './chunk-buffers.js';
import { ChunkCache } from './chunk-cache.js';
import type { SharedFile } from './shared-file.js';

const CACHE_BYTES = 32 * 1024 * 1024;

/** Reads and writes chunks of shared files; what moved last stays in memory for whoever asks next. */
export class ChunkShelf {
  /** For chunks that arrive. */
  readonly buffers = new ChunkBuffers();
  readonly #cache = new ChunkCache(CACHE_BYTES, (bytes) => this.buffers.give(bytes));

  /** @param onDamaged told of chunks that the disk returned damaged */
  constructor(private readonly onDamaged: (manifestId: string, chunk: number) => void) {}

  isGenuine(shared: SharedFile, chunk: number, bytes: Uint8Array): boolean {
    return sha256Hex(bytes) === shared.data.manifest.hashes[chunk];
  }

  /** Stores a genuine chunk, whose bytes are the shelf's own from then on. */
  async store(shared: SharedFile, chunk: number, bytes: Uint8Array): Promise<void> {
    await shared.data.write(chunk, bytes);
    this.#cache.putOwn(keyOf(shared, chunk), bytes);
  }

  read(shared: SharedFile, chunk: number): Promise<Uint8Array> {
    const key = keyOf(shared, chunk);
    const cached = this.#cache.get(key);
    if (cached) return cached;
    const bytes = shared.data.read(chunk);
    this.#cache.put(key, bytes, shared.data.chunkLength(chunk));
    // Whoever waits for it sees the error; it must not be served from the cache again.
    bytes.catch((error: unknown) => {
      this.#cache.delete(key);
      if (error instanceof ChunkDamagedError) this.onDamaged(shared.manifestId, chunk);
    });
    return bytes;
  }
}

function keyOf(shared: SharedFile, chunk: number): string {
  return `${shared.manifestId}/${chunk}`;
}

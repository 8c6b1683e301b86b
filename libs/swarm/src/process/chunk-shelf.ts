import { sha256Hex } from '../sha256.js';
import { ChunkDamagedError } from '../store/index.js';
import { ChunkBuffers } from './chunk-buffers.js';
import { ChunkCache } from './chunk-cache.js';
import type { SharedFile } from './shared-file.js';

/** What arrived last is what others ask for next. */
const ARRIVED_BYTES = 32 * 1024 * 1024;
/** Read from the disk to be sent: enough for what waits at some links. */
const SENDING_BYTES = 16 * 1024 * 1024;

/** Reads and writes chunks of shared files; what arrived last stays in memory for whoever asks next. */
export class ChunkShelf {
  /** For chunks that arrive. */
  readonly buffers = new ChunkBuffers();
  readonly #arrived = new ChunkCache(ARRIVED_BYTES, (bytes) => this.buffers.give(bytes));
  readonly #sending = new ChunkCache(SENDING_BYTES, () => undefined);

  /** @param onDamaged told of chunks that the disk returned damaged */
  constructor(private readonly onDamaged: (manifestId: string, chunk: number) => void) {}

  isGenuine(shared: SharedFile, chunk: number, bytes: Uint8Array): boolean {
    return sha256Hex(bytes) === shared.data.manifest.hashes[chunk];
  }

  /** Stores a genuine chunk, whose bytes are the shelf's own from then on. */
  async store(shared: SharedFile, chunk: number, bytes: Uint8Array): Promise<void> {
    await shared.data.write(chunk, bytes);
    // A small one that came from the agent is a view of 64 KiB that were read at once, and would keep all of these.
    const isMostOfIt = bytes.length > bytes.buffer.byteLength / 2;
    this.#arrived.putOwn(keyOf(shared, chunk), isMostOfIt ? bytes : new Uint8Array(bytes));
  }

  /**
   * A whole chunk.
   *
   * @param isLast whether the caller will not read it again. What is dropped at once is garbage that V8 frees with little work; what
   *   it has kept for a while it looks for all over its heap.
   */
  read(shared: SharedFile, chunk: number, isLast: boolean): Promise<Uint8Array> {
    const key = keyOf(shared, chunk);
    const arrived = this.#arrived.get(key);
    if (arrived) return arrived;
    const sending = this.#sending.get(key);
    if (isLast) this.#sending.delete(key);
    if (sending) return sending;
    const bytes = shared.data.read(chunk);
    if (!isLast) this.#sending.put(key, bytes, shared.data.chunkLength(chunk));
    // Whoever waits for it sees the error; it must not be served from memory again.
    bytes.catch((error: unknown) => {
      this.#sending.delete(key);
      if (error instanceof ChunkDamagedError) this.onDamaged(shared.manifestId, chunk);
    });
    return bytes;
  }
}

function keyOf(shared: SharedFile, chunk: number): string {
  return `${shared.manifestId}/${chunk}`;
}

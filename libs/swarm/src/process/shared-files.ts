import { manifestBytes } from '@gleaner/protocol';
import { encodeTicket } from '../auth/index.js';
import type { SwapAction, SwapEvent } from '../engine/index.js';
import { sha256Hex } from '../sha256.js';
import { ChunkShelf } from './chunk-shelf.js';
import { SharedFile, type JoinRequest } from './shared-file.js';
import type { TrafficBook } from './traffic-book.js';

export interface SharedFilesInit {
  /** Tells the engine. */
  readonly tell: (event: SwapEvent) => void;
  readonly traffic: TrafficBook;
  readonly onStored?: (manifestId: string, chunk: number) => void;
  /** The disk returned a chunk damaged: it is not offered any longer. */
  readonly onDamaged?: (manifestId: string, chunk: number) => void;
  readonly warn: (event: string, error: unknown) => undefined;
}

/** The files that the node shares: their chunks are checked, stored, read and waited for here. */
export class SharedFiles {
  readonly #files = new Map<string, SharedFile>();
  readonly #shelf: ChunkShelf;

  constructor(private readonly init: SharedFilesInit) {
    this.#shelf = new ChunkShelf((manifestId, chunk) => {
      init.tell({ kind: 'chunk-lost', manifestId, chunk });
      init.onDamaged?.(manifestId, chunk);
    });
  }

  get manifestIds(): Iterable<string> {
    return this.#files.keys();
  }

  get(manifestId: string): SharedFile | undefined {
    return this.#files.get(manifestId);
  }

  /** @throws {RangeError} when the manifest is not the one that the location names */
  add(request: JoinRequest): SharedFile {
    const { location, manifest, data, ticket } = request;
    const { manifestId } = location;
    if (sha256Hex(manifestBytes(manifest)) !== manifestId)
      throw new RangeError(`the manifest is not ${manifestId}`);
    const shared = new SharedFile(request);
    this.#files.set(manifestId, shared);
    this.init.tell({
      kind: 'file-added',
      file: {
        manifestId,
        sizeBytes: manifest.size,
        chunkBytes: manifest.chunk,
        chunkCount: manifest.hashes.length,
        have: data.have,
        ticket: encodeTicket(ticket),
      },
    });
    return shared;
  }

  /** What is stored stays. */
  remove(manifestId: string): SharedFile | undefined {
    const shared = this.#files.get(manifestId);
    if (!shared) return undefined;
    this.#files.delete(manifestId);
    shared.stop.abort();
    shared.fail(new Error(`left the swarm of ${manifestId}`));
    this.init.tell({ kind: 'file-removed', manifestId });
    return shared;
  }

  /** Resolves when all of these chunks are stored. */
  async fetch(manifestId: string, chunks: readonly number[], signal: AbortSignal): Promise<void> {
    const shared = this.#files.get(manifestId);
    if (!shared) throw new RangeError(`join ${manifestId} before fetching from it`);
    const stored = shared.whenStored(chunks, signal);
    this.init.tell({ kind: 'wanted', manifestId, chunks });
    try {
      await stored;
    } finally {
      this.init.tell({ kind: 'unwanted', manifestId, chunks });
    }
  }

  /** Somebody else has verified and written these chunks into the file. */
  noteStored(manifestId: string, chunks: readonly number[]): void {
    const shared = this.#files.get(manifestId);
    if (!shared) return;
    for (const chunk of chunks) {
      if (!shared.data.markStored(chunk)) continue;
      this.init.tell({ kind: 'origin-fetched', manifestId, chunk, isStored: true });
      shared.stored(chunk);
    }
  }

  /** Memory for a chunk that arrives. */
  allocate(lengthBytes: number): Uint8Array {
    return this.#shelf.buffers.take(lengthBytes);
  }

  /** A whole chunk, which the caller reads again unless `isLast`. */
  async read(manifestId: string, chunk: number, isLast: boolean): Promise<Uint8Array> {
    const shared = this.#files.get(manifestId);
    if (!shared) throw new RangeError(`${manifestId} is not shared`);
    return this.#shelf.read(shared, chunk, isLast);
  }

  /** Compares a chunk that a peer has sent with the manifest, stores it if it is good, and tells. */
  async check({ manifestId, chunk, peer, bytes }: Extract<SwapAction, { kind: 'check' }>): Promise<void> {
    const shared = this.#files.get(manifestId);
    if (!shared) return;
    let verdict: 'good' | 'bad' | 'not-stored' = 'bad';
    if (this.#shelf.isGenuine(shared, chunk, bytes)) {
      verdict = (await this.store(shared, chunk, bytes)) ? 'good' : 'not-stored';
      this.init.traffic.add(manifestId, 'fromPeersBytes', bytes.length);
    }
    this.init.tell({ kind: 'checked', manifestId, chunk, peer, verdict });
    if (verdict === 'good') shared.stored(chunk);
  }

  /** Stores a genuine chunk; says whether it could. */
  async store(shared: SharedFile, chunk: number, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#shelf.store(shared, chunk, bytes);
      this.init.onStored?.(shared.manifestId, chunk);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      this.init.warn('store-failed', reason);
      shared.fail(reason);
      return false;
    }
  }

  /** Tells everybody who waits that nothing will come any more. */
  fail(error: Error): void {
    for (const shared of this.#files.values()) shared.fail(error);
  }
}

import type { Manifest, SignedTicket } from '@gleaner/protocol';
import type { BlobLocation } from '../chunk-source.js';
import type { ChunkData } from '../store/index.js';

/** A file to share. */
export interface JoinRequest {
  readonly location: BlobLocation;
  readonly manifest: Manifest;
  readonly ticket: SignedTicket;
  /** Where its chunks are read and written; closed by whoever opened it, after the file was left. */
  readonly data: ChunkData;
}

type Listener = (chunk: number | Error) => void;

/** A file that the node shares: its data, and who waits for its chunks. */
export class SharedFile {
  readonly #listeners = new Set<Listener>();
  /** Aborted when the file is left. */
  readonly stop = new AbortController();

  /** The newest that this host has. */
  ticket: SignedTicket;

  constructor(readonly request: JoinRequest) {
    this.ticket = request.ticket;
  }

  get manifestId(): string {
    return this.request.location.manifestId;
  }

  get data(): ChunkData {
    return this.request.data;
  }

  stored(chunk: number): void {
    for (const listener of this.#listeners) listener(chunk);
  }

  /** Tells everybody who waits that their chunks will not come. */
  fail(error: Error): void {
    for (const listener of this.#listeners) listener(error);
  }

  /** Resolves when all of these chunks are stored; rejects when one will not come or the signal aborts. */
  async whenStored(chunks: Iterable<number>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const awaited = new Set([...chunks].filter((chunk) => !this.data.have.has(chunk)));
    if (awaited.size === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const listener: Listener = (chunk) => {
      if (chunk instanceof Error) reject(chunk);
      else if (awaited.delete(chunk) && awaited.size === 0) resolve();
    };
    const onAbort = (): void =>
      reject(signal.reason instanceof Error ? signal.reason : new Error('the fetch was aborted'));
    this.#listeners.add(listener);
    signal.addEventListener('abort', onAbort);
    try {
      await promise;
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

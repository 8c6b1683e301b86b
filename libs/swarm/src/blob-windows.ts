import { readFile } from 'node:fs/promises';
import { chunksOfWindow, manifest as manifestSchema, manifestBytes, type Manifest } from '@gleaner/protocol';
import type { BlobLocation, ManifestSource } from './chunk-source.js';
import type { ChunkSupply } from './chunk-supply.js';
import type { ContentCache } from './content-cache.js';
import type { ChunkStore } from './store/index.js';

/** A piece of a file on disk. Offset and length in bytes. */
export interface FilePiece {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** A window of a blob as pieces of files, in order. Dispose it when the task has ended. */
export interface OpenWindow extends Disposable {
  readonly pieces: readonly FilePiece[];
}

/** Bytes of a blob that a task sees. */
export interface WindowRequest {
  readonly location: BlobLocation;
  readonly offset: number;
  readonly length: number;
}

export interface BlobWindowsComponents {
  /** Keeps manifests. */
  readonly cache: ContentCache;
  /** Keeps chunks. */
  readonly store: ChunkStore;
  readonly manifests: ManifestSource;
  readonly supply: ChunkSupply;
}

/** Opens windows of blobs: brings only the chunks that a window touches and that the store lacks. */
export class BlobWindows {
  /** One fetch a blob at a time, so that two tasks over the same chunks fetch them once. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(private readonly components: BlobWindowsComponents) {}

  /**
   * Keeps every chunk of the window until the result is disposed.
   *
   * @throws {RangeError} when the window reaches beyond the blob
   */
  async open(request: WindowRequest, signal: AbortSignal): Promise<OpenWindow> {
    const { blobId } = request.location;
    const previous = this.#turns.get(blobId) ?? Promise.resolve();
    const turn = unlessAborted(previous, signal).then(() => this.#open(request, signal));
    const settled = Promise.allSettled([previous, turn]).then(() => undefined);
    this.#turns.set(blobId, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(blobId) === settled) this.#turns.delete(blobId);
    }
  }

  async #open({ location, offset, length }: WindowRequest, signal: AbortSignal): Promise<OpenWindow> {
    signal.throwIfAborted();
    const manifest = await fetchCachedManifest(this.components, location, signal);
    if (offset + length > manifest.size) {
      throw new RangeError(`a window of ${location.blobId} ends beyond its ${manifest.size} bytes`);
    }
    const { start, end } = chunksOfWindow(manifest, offset, length);
    if (start === end) return { pieces: [], [Symbol.dispose]: () => undefined };
    const indices = Array.from({ length: end - start }, (_, index) => start + index);
    const { store, supply } = this.components;
    const claim = await store.claim(location.manifestId, manifest, indices);
    try {
      if (claim.missing.length > 0)
        await supply.bring({ location, manifest, indices: claim.missing }, signal);
      const pieces = [{ path: claim.file.dataPath, offset, length }];
      return { pieces, [Symbol.dispose]: () => claim[Symbol.dispose]() };
    } catch (error) {
      claim[Symbol.dispose]();
      throw error;
    }
  }
}

/** Resolves with the promise, or rejects as soon as the signal aborts: whoever is ahead may take hours. */
async function unlessAborted(ahead: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  // `as`: whoever aborts gives an error.
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort);
  try {
    await Promise.race([ahead, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A blob's verified manifest, from the cache or else from its source. */
export async function fetchCachedManifest(
  { cache, manifests }: Pick<BlobWindowsComponents, 'cache' | 'manifests'>,
  location: BlobLocation,
  signal: AbortSignal,
): Promise<Manifest> {
  const cached = await readCachedManifest(cache, location.manifestId);
  if (cached) return cached;
  const manifest = await manifests.fetchManifest(location, signal);
  using _ = await cache.put(location.manifestId, manifestBytes(manifest));
  return manifest;
}

/** The manifest of this id, if the cache has it. */
export async function readCachedManifest(
  cache: ContentCache,
  manifestId: string,
): Promise<Manifest | undefined> {
  using cached = await cache.pin(manifestId);
  return cached && manifestSchema.parse(JSON.parse(await readFile(cached.path, 'utf8')));
}

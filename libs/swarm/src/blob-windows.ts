import { chunksOfWindow, manifest as manifestSchema, manifestBytes, type Manifest } from '@gleaner/protocol';
import type { BlobLocation, ChunkSource, ManifestSource } from './chunk-source.js';
import { readFile } from 'node:fs/promises';
import type { ContentCache, PinnedContent } from './content-cache.js';

/** A piece of a file on disk. Offset and length in bytes. */
export interface FilePiece {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** A window of a blob as pieces of cached chunks, in order. Dispose it when the task has ended. */
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
  readonly cache: ContentCache;
  readonly source: ChunkSource & ManifestSource;
}

/** Opens windows of blobs: fetches only the chunks that a window touches and that the cache lacks. */
export class BlobWindows {
  /** One fetch a blob at a time, so that two tasks over the same chunks fetch them once. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(private readonly components: BlobWindowsComponents) {}

  /**
   * Pins every chunk of the window until the result is disposed.
   *
   * @throws {RangeError} when the window reaches beyond the blob
   */
  async open(request: WindowRequest, signal: AbortSignal): Promise<OpenWindow> {
    const { blobId } = request.location;
    const previous = this.#turns.get(blobId) ?? Promise.resolve();
    const turn = previous.then(() => this.#open(request, signal));
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(blobId, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(blobId) === settled) this.#turns.delete(blobId);
    }
  }

  async #open(request: WindowRequest, signal: AbortSignal): Promise<OpenWindow> {
    signal.throwIfAborted();
    const manifest = await this.#manifest(request.location, signal);
    if (request.offset + request.length > manifest.size) {
      throw new RangeError(`a window of ${request.location.blobId} ends beyond its ${manifest.size} bytes`);
    }
    const { start, end } = chunksOfWindow(manifest, request.offset, request.length);
    const pinned = new Map<number, PinnedContent>();
    try {
      const missing: number[] = [];
      for (let index = start; index < end; index += 1) {
        const chunk = await this.components.cache.pin(hashOfChunk(manifest, index));
        if (chunk) pinned.set(index, chunk);
        else missing.push(index);
      }
      if (missing.length > 0) {
        const chunks = this.components.source.fetchChunks(
          { location: request.location, manifest, indices: missing },
          signal,
        );
        for await (const { index, sha256, bytes } of chunks) {
          pinned.set(index, await this.components.cache.put(sha256, bytes));
        }
      }
      return openWindow(request, manifest, pinned);
    } catch (error) {
      for (const chunk of pinned.values()) chunk.release();
      throw error;
    }
  }

  async #manifest(location: BlobLocation, signal: AbortSignal): Promise<Manifest> {
    using cached = await this.components.cache.pin(location.manifestId);
    if (cached) return manifestSchema.parse(JSON.parse(await readFile(cached.path, 'utf8')));
    const manifest = await this.components.source.fetchManifest(location, signal);
    using _ = await this.components.cache.put(location.manifestId, manifestBytes(manifest));
    return manifest;
  }
}

function hashOfChunk(manifest: Manifest, index: number): string {
  const hash = manifest.hashes[index];
  if (hash === undefined) throw new RangeError(`the manifest has no chunk ${index}`);
  return hash;
}

function openWindow(
  request: WindowRequest,
  manifest: Manifest,
  pinned: ReadonlyMap<number, PinnedContent>,
): OpenWindow {
  const pieces: FilePiece[] = [];
  const end = request.offset + request.length;
  for (const [index, chunk] of [...pinned].sort(([a], [b]) => a - b)) {
    const chunkStart = index * manifest.chunk;
    const from = Math.max(request.offset, chunkStart);
    const to = Math.min(end, chunkStart + manifest.chunk);
    pieces.push({ path: chunk.path, offset: from - chunkStart, length: to - from });
  }
  return {
    pieces,
    [Symbol.dispose]() {
      for (const chunk of pinned.values()) chunk.release();
    },
  };
}

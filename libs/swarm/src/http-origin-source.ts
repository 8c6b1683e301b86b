import { verify, type KeyObject } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  canonicalJson,
  LIMITS,
  manifest as manifestSchema,
  manifestBytes,
  type Manifest,
} from '@gleaner/protocol';
import { ChunkSlicer, runsOfChunks, type ChunkRun } from './chunk-slicer.js';
import {
  ContentMismatchError,
  ManifestSignatureError,
  OriginUnavailableError,
  type BlobLocation,
  type ChunkRequest,
  type ChunkSource,
  type ManifestSource,
  type VerifiedChunk,
} from './chunk-source.js';
import { bodyOf, readBounded, StallGuard } from './http-body.js';
import { sha256Hex } from './sha256.js';

/** One Range request asks for at most this much, so that a dropped connection costs little. */
const MAX_RANGE_BYTES = 16 * 1024 * 1024;
/** A manifest of the largest blob: 16,384 hashes of 67 bytes, and room for its frame. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Ed25519 over the manifest's canonical bytes, base64. */
const SIGNATURE_HEADER = 'gleaner-signature';
const DEFAULT_ATTEMPTS = 6;
const DEFAULT_STALL_MS = 30_000;
/** Wrong bytes are seldom an accident: an origin that sends them so often in a row is not asked again. */
const MAX_MISMATCHES = 3;

export interface HttpOriginInit {
  /** The coordinator; relative URLs are resolved against it, and only its own origin receives the credentials. */
  readonly baseUrl: URL;
  /** Headers that identify the host, such as `authorization`. */
  readonly credentials: () => Readonly<Record<string, string>>;
  /** The coordinator's Ed25519 key, which signs manifests. Left out: a manifest's own id is all that it is compared with. */
  readonly manifestKey?: (signal: AbortSignal) => Promise<KeyObject>;
  /** Milliseconds to wait before attempt n + 1, n from 0: exponential with jitter. */
  readonly retryDelayMs: (attempt: number) => number;
  /** Consecutive fruitless attempts after which the source gives up; 6 when left out. */
  readonly attempts?: number;
  /** A connection that brings nothing for this long, in milliseconds, is dropped; 30,000 when left out. */
  readonly stallMs?: number;
}

/** A refusal that another attempt will not change, such as 401, 403, 404 or 410. */
class FinalHttpError extends Error {
  override readonly name = 'FinalHttpError';
}

/**
 * The coordinator's HTTP origin: manifests, Range requests for chunks, and whole files named by their hash.
 *
 * Every byte is verified before it is handed on. Attempts that bring at least one good chunk start the count anew, so a
 * slow line finishes a large blob while a dead one is given up after `attempts` tries.
 */
export class HttpOriginSource implements ChunkSource, ManifestSource {
  readonly #attempts: number;
  readonly #stallMs: number;

  constructor(private readonly init: HttpOriginInit) {
    this.#attempts = init.attempts ?? DEFAULT_ATTEMPTS;
    this.#stallMs = init.stallMs ?? DEFAULT_STALL_MS;
  }

  /** The coordinator whose origin this is. */
  get baseUrl(): URL {
    return this.init.baseUrl;
  }

  /**
   * @throws {ContentMismatchError} when it is another manifest than the location names
   * @throws {ManifestSignatureError} when the coordinator has not signed it
   */
  async fetchManifest(location: BlobLocation, signal: AbortSignal): Promise<Manifest> {
    const bytes = await this.#fetchWhole(
      location.manifestUrl,
      MAX_MANIFEST_BYTES,
      signal,
      async (body, headers) => {
        const value = manifestSchema.parse(JSON.parse(new TextDecoder().decode(body)));
        const signedBytes = manifestBytes(value);
        const actual = sha256Hex(signedBytes);
        if (actual !== location.manifestId) {
          throw new ContentMismatchError(`the manifest of ${location.blobId}`, location.manifestId, actual);
        }
        if (value.size !== location.sizeBytes) {
          throw new RangeError(
            `the manifest of ${location.blobId} names another size: ${canonicalJson(value.size)}`,
          );
        }
        const key = await this.init.manifestKey?.(signal);
        const signature = Buffer.from(headers.get(SIGNATURE_HEADER) ?? '', 'base64');
        if (key && !verify(null, signedBytes, key, signature))
          throw new ManifestSignatureError(location.blobId);
      },
    );
    return manifestSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  }

  /** A whole file named by its SHA-256 (hex), such as an app's module; at most `LIMITS.moduleBytes`. */
  async fetchFile(url: string, sha256: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#fetchWhole(url, LIMITS.moduleBytes, signal, (body) => {
      const actual = sha256Hex(body);
      if (actual !== sha256) throw new ContentMismatchError(url, sha256, actual);
    });
  }

  async *fetchChunks(request: ChunkRequest, signal: AbortSignal): AsyncGenerator<VerifiedChunk> {
    const maxChunks = Math.max(1, Math.floor(MAX_RANGE_BYTES / request.manifest.chunk));
    for (const run of runsOfChunks(request.indices, maxChunks)) yield* this.#fetchRun(request, run, signal);
  }

  async *#fetchRun(request: ChunkRequest, run: ChunkRun, signal: AbortSignal): AsyncGenerator<VerifiedChunk> {
    const url = this.#resolve(request.location.contentUrl);
    let next = run.start;
    for (let attempt = 0; next < run.end;) {
      try {
        for await (const chunk of this.#fetchOnce(url, request, { start: next, end: run.end }, signal)) {
          next = chunk.index + 1;
          attempt = 0;
          yield chunk;
        }
      } catch (error) {
        attempt = await this.#waitAfterFailure(url, attempt, error, signal);
      }
    }
  }

  /** One Range request. Ends normally only when the whole run was delivered. */
  async *#fetchOnce(
    url: URL,
    request: ChunkRequest,
    run: ChunkRun,
    signal: AbortSignal,
  ): AsyncGenerator<VerifiedChunk> {
    const { manifest } = request;
    const first = run.start * manifest.chunk;
    const end = Math.min(run.end * manifest.chunk, manifest.size);
    using guard = new StallGuard(this.#stallMs, signal);
    const response = await this.#request(url, guard.signal, { range: `bytes=${first}-${end - 1}` });
    if (response.status !== 206 && !(response.status === 200 && first === 0)) {
      await response.body?.cancel();
      throw new FinalHttpError(`the origin ignored the Range request (status ${response.status})`);
    }
    const lengths: number[] = [];
    for (let at = first; at < end; at += manifest.chunk) lengths.push(Math.min(manifest.chunk, end - at));
    const slicer = new ChunkSlicer(lengths);
    let index = run.start;
    for await (const bytes of bodyOf(response)) {
      guard.touch();
      for (const piece of slicer.push(bytes)) {
        const sha256 = manifest.hashes[index] ?? '';
        const actual = sha256Hex(piece);
        if (actual !== sha256) {
          throw new ContentMismatchError(`chunk ${index} of ${request.location.blobId}`, sha256, actual);
        }
        yield { index, sha256, bytes: piece };
        index += 1;
      }
      // A server that ignores the end of the range would otherwise be read to the end of the file.
      if (slicer.missing === 0) return;
    }
    throw new Error(`the connection ended ${slicer.missing} chunks early`);
  }

  async #fetchWhole(
    path: string,
    maxBytes: number,
    signal: AbortSignal,
    accept: (body: Uint8Array, headers: Headers) => void | Promise<void>,
  ): Promise<Uint8Array> {
    const url = this.#resolve(path);
    for (let attempt = 0; ;) {
      try {
        using guard = new StallGuard(this.#stallMs, signal);
        const response = await this.#request(url, guard.signal, {});
        const body = await readBounded(response, maxBytes, guard);
        await accept(body, response.headers);
        return body;
      } catch (error) {
        attempt = await this.#waitAfterFailure(url, attempt, error, signal);
      }
    }
  }

  async #request(url: URL, signal: AbortSignal, headers: Record<string, string>): Promise<Response> {
    const own = url.origin === this.init.baseUrl.origin ? this.init.credentials() : {};
    const response = await fetch(url, { headers: { ...headers, ...own }, signal });
    if (response.ok) return response;
    await response.body?.cancel();
    const text = `the origin answered ${response.status} ${response.statusText}`.trimEnd();
    const mayChange = response.status === 408 || response.status === 425 || response.status === 429;
    if (response.status < 500 && !mayChange) throw new FinalHttpError(text);
    throw new Error(text);
  }

  async #waitAfterFailure(url: URL, attempt: number, error: unknown, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const isMismatch = error instanceof ContentMismatchError || error instanceof ManifestSignatureError;
    if (isMismatch && attempt + 1 >= MAX_MISMATCHES) throw error;
    if (error instanceof FinalHttpError || attempt + 1 >= this.#attempts) {
      throw new OriginUnavailableError(url.href, attempt + 1, { cause: error });
    }
    await delay(this.init.retryDelayMs(attempt), undefined, { signal });
    return attempt + 1;
  }

  #resolve(path: string): URL {
    return new URL(path, this.init.baseUrl);
  }
}

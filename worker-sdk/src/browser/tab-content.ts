import { backoffDelayMs } from '@gleaner/domain';
import {
  chunksOfWindow,
  LIMITS,
  manifest as manifestSchema,
  type Manifest,
  type WorkJob,
} from '@gleaner/protocol';
import { sha256HexOf } from '@gleaner/sandbox';
import { WakeUp } from '../wake-up.js';

const ATTEMPTS = 8;
const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** A request that is not answered in full by then is given up. */
const REQUEST_MS = 120_000;
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
/** Chunks and modules kept for the next task of the job, in bytes; beyond it the least recently used go. */
const CACHE_BYTES = 256 * 1024 * 1024;

type BlobLocation = WorkJob['inputs'][string];

interface Request {
  readonly url: string;
  /** What the bytes must hash to. */
  readonly sha256: string;
  /** First and last byte; absent for the whole. */
  readonly range?: readonly [first: number, last: number];
  readonly maxBytes: number;
}

/** A refusal that another attempt will not change. */
class RefusedError extends Error {}

/** Modules, manifests and chunks over HTTP, each byte verified before it is used, kept in the tab's memory. */
export class TabContent {
  readonly #cache = new Map<string, Uint8Array>();
  #cachedBytes = 0;

  constructor(
    private readonly init: {
      readonly baseUrl: URL;
      readonly credentials: () => Readonly<Record<string, string>>;
      /** Uniform in [0, 1); for the jitter of retries. */
      readonly random: () => number;
      /** 256 MiB when left out. */
      readonly cacheBytes?: number;
    },
  ) {}

  /** A module named by its SHA-256 (hex). */
  async module(url: string, sha256: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#verified({ url, sha256, maxBytes: LIMITS.moduleBytes }, signal);
  }

  /** `length` bytes of a blob from `offset`, as views of its chunks in order. */
  async window(
    location: BlobLocation,
    { offset, length }: { readonly offset: number; readonly length: number },
    signal: AbortSignal,
  ): Promise<Uint8Array[]> {
    if (length === 0) return [];
    const manifest = await this.#manifest(location, signal);
    const { start, end } = chunksOfWindow(manifest, offset, length);
    const pieces: Uint8Array[] = [];
    for (let index = start; index < end; index += 1) {
      const first = index * manifest.chunk;
      const last = Math.min(first + manifest.chunk, manifest.size) - 1;
      const sha256 = manifest.hashes[index] ?? '';
      const chunk = await this.#verified(
        { url: location.contentUrl, sha256, range: [first, last], maxBytes: last - first + 1 },
        signal,
      );
      pieces.push(
        chunk.subarray(Math.max(0, offset - first), Math.min(chunk.length, offset + length - first)),
      );
    }
    return pieces;
  }

  async #manifest(
    { manifestUrl, manifestId, sizeBytes }: BlobLocation,
    signal: AbortSignal,
  ): Promise<Manifest> {
    // The manifest's bytes are canonical JSON, so their hash is its identity.
    const request = { url: manifestUrl, sha256: manifestId, maxBytes: MANIFEST_BYTES_MAX };
    const bytes = await this.#verified(request, signal);
    const manifest = manifestSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    if (manifest.size !== sizeBytes) throw new RefusedError('a manifest names another size than its job');
    return manifest;
  }

  async #verified(request: Request, signal: AbortSignal): Promise<Uint8Array> {
    const known = this.#cache.get(request.sha256);
    if (known) {
      this.#cache.delete(request.sha256);
      this.#cache.set(request.sha256, known);
      return known;
    }
    for (let failures = 1; ; failures += 1) {
      try {
        const bytes = await this.#fetch(request, signal);
        this.#keep(request.sha256, bytes);
        return bytes;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof RefusedError || failures === ATTEMPTS) throw error;
        await new WakeUp().wait(backoffDelayMs(failures, BACKOFF, this.init.random()), signal);
        signal.throwIfAborted();
      }
    }
  }

  async #fetch({ url, sha256, range, maxBytes }: Request, signal: AbortSignal): Promise<Uint8Array> {
    const target = new URL(url, this.init.baseUrl);
    const own = target.origin === this.init.baseUrl.origin ? this.init.credentials() : {};
    const response = await fetch(target, {
      headers: { ...own, ...(range && { range: `bytes=${range[0]}-${range[1]}` }) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    if (!response.ok) {
      const text = `${target.pathname} answered ${response.status}`;
      const mayChange = response.status >= 500 || response.status === 429 || response.status === 408;
      throw mayChange ? new Error(text) : new RefusedError(text);
    }
    const announced = Number(response.headers.get('content-length') ?? 0);
    if (announced > maxBytes) throw new RefusedError(`${target.pathname} is longer than ${maxBytes} bytes`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (sha256HexOf(bytes) !== sha256) throw new Error(`${target.pathname} is not what its hash says`);
    return bytes;
  }

  #keep(sha256: string, bytes: Uint8Array): void {
    const { cacheBytes = CACHE_BYTES } = this.init;
    // Another task may have fetched it at the same time: it is there once, and counts once.
    if (bytes.length > cacheBytes || this.#cache.has(sha256)) return;
    this.#cache.set(sha256, bytes);
    this.#cachedBytes += bytes.length;
    for (const [oldest, content] of this.#cache) {
      if (this.#cachedBytes <= cacheBytes) return;
      this.#cache.delete(oldest);
      this.#cachedBytes -= content.length;
    }
  }
}

import {
  originTicketsAnswer,
  swarmAnnounceAnswer,
  type Manifest,
  type OriginTicketsAnswer,
  type OriginTicketsRequest,
  type SwarmAnnounce,
  type SwarmAnnounceAnswer,
} from '@gleaner/protocol';
import type { BlobLocation, ChunkSource } from '../chunk-source.js';
import { readBounded, StallGuard } from '../http-body.js';

const FORBIDDEN = 403;
const ANSWER_TIMEOUT_MS = 10_000;
/** Of an answer that is read at all: peers of all files with what each has take a few megabytes. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Who may not: the coordinator knows of no reason for which this host would have the file, as once its job has ended. */
export class CoordinatorRefusedError extends Error {
  override readonly name = 'CoordinatorRefusedError';
}

/** The coordinator as the swarm sees it: tracker, and origin of last resort. Everything may fail; the swarm goes on. */
export interface SwarmCoordinator {
  /** @throws {CoordinatorRefusedError} where this host is not to share the file, or has to show its ticket */
  announce(announce: SwarmAnnounce, signal: AbortSignal): Promise<SwarmAnnounceAnswer>;
  requestOriginTickets(request: OriginTicketsRequest, signal: AbortSignal): Promise<OriginTicketsAnswer>;
  /** A chunk that is what the manifest says. */
  fetchChunk(
    location: BlobLocation,
    manifest: Manifest,
    chunk: number,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
}

export interface HttpSwarmCoordinatorInit {
  readonly baseUrl: URL;
  readonly credentials: () => Readonly<Record<string, string>>;
  /** The HTTP origin; it verifies what it delivers. */
  readonly origin: ChunkSource;
}

/** `POST /v1/swarm/announce`, `POST /v1/swarm/origin-tickets`, and Range requests for the chunks that tickets name. */
export class HttpSwarmCoordinator implements SwarmCoordinator {
  constructor(private readonly init: HttpSwarmCoordinatorInit) {}

  async announce(announce: SwarmAnnounce, signal: AbortSignal): Promise<SwarmAnnounceAnswer> {
    return swarmAnnounceAnswer.parse(await this.#post('/v1/swarm/announce', announce, signal));
  }

  async requestOriginTickets(
    request: OriginTicketsRequest,
    signal: AbortSignal,
  ): Promise<OriginTicketsAnswer> {
    return originTicketsAnswer.parse(await this.#post('/v1/swarm/origin-tickets', request, signal));
  }

  async fetchChunk(
    location: BlobLocation,
    manifest: Manifest,
    chunk: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    for await (const { bytes } of this.init.origin.fetchChunks(
      { location, manifest, indices: [chunk] },
      signal,
    )) {
      return bytes;
    }
    throw new Error(`the origin delivered nothing for chunk ${chunk} of ${location.blobId}`);
  }

  async #post(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    using guard = new StallGuard(ANSWER_TIMEOUT_MS, signal, ANSWER_TIMEOUT_MS);
    const response = await fetch(new URL(path, this.init.baseUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.init.credentials() },
      body: JSON.stringify(body),
      signal: guard.signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      const message = `the coordinator answered ${response.status} to POST ${path}`;
      throw response.status === FORBIDDEN ? new CoordinatorRefusedError(message) : new Error(message);
    }
    const bytes = await readBounded(response, MAX_ANSWER_BYTES, guard);
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  }
}

import type { Manifest, SignedTicket } from '@gleaner/protocol';

/** Where a blob can be had. URLs may be relative to the coordinator. */
export interface BlobLocation {
  readonly blobId: string;
  /** SHA-256 (hex) of the manifest's canonical bytes. */
  readonly manifestId: string;
  readonly sizeBytes: number;
  readonly manifestUrl: string;
  readonly contentUrl: string;
  /** Lets this host have it from other volunteers. */
  readonly swarmTicket?: SignedTicket | undefined;
}

export interface ChunkRequest {
  readonly location: BlobLocation;
  readonly manifest: Manifest;
  /** Chunk indices wanted, ascending and distinct. */
  readonly indices: readonly number[];
}

export interface VerifiedChunk {
  readonly index: number;
  /** SHA-256 (hex) that the manifest names and that the bytes have. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/**
 * Turns chunks of a manifest into verified bytes. The origin is one source; the swarm is another behind the same seam.
 *
 * Every chunk asked for is yielded exactly once, in any order; a source that cannot deliver one throws.
 */
export interface ChunkSource {
  fetchChunks(request: ChunkRequest, signal: AbortSignal): AsyncIterable<VerifiedChunk>;
}

/** Turns a location into its verified manifest. */
export interface ManifestSource {
  fetchManifest(location: BlobLocation, signal: AbortSignal): Promise<Manifest>;
}

/** Bytes that are not what their hash says, after as many attempts as allowed. */
export class ContentMismatchError extends Error {
  override readonly name = 'ContentMismatchError';
  constructor(
    readonly what: string,
    readonly expectedSha256: string,
    readonly actualSha256: string,
  ) {
    super(`${what} has SHA-256 ${actualSha256}, not ${expectedSha256}`);
  }
}

/** A manifest that the coordinator has not signed: whoever sent it is not to be believed about anything else either. */
export class ManifestSignatureError extends Error {
  override readonly name = 'ManifestSignatureError';
  constructor(readonly blobId: string) {
    super(`the manifest of ${blobId} is not signed with the coordinator’s key`);
  }
}

/** The origin could not deliver; `cause` tells the last attempt's reason. */
export class OriginUnavailableError extends Error {
  override readonly name = 'OriginUnavailableError';
  constructor(
    readonly url: string,
    readonly attempts: number,
    options: { readonly cause: unknown },
  ) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(`cannot fetch ${url} (${attempts} attempts): ${reason}`, options);
  }
}

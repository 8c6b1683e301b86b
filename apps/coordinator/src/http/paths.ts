import type { FastifyRequest } from 'fastify';
import type { Config } from '../config/index.js';

/** Where volunteers reach this coordinator: as configured, else as this very caller did. */
export function publicUrl(config: Pick<Config, 'publicUrl'>, request: FastifyRequest): string {
  return config.publicUrl ?? `${request.protocol}://${request.host}`;
}

/** Paths that answers to volunteers carry; relative to the coordinator, so that they hold behind any proxy. */
export const PATHS = {
  blobContent: (blobId: string) => `/v1/blobs/${blobId}/content`,
  blobManifest: (blobId: string) => `/v1/blobs/${blobId}/manifest`,
  module: (sha256: string) => `/v1/modules/${sha256}`,
} as const;

import { z } from 'zod';
import { blobId, isoInstant, sha256Hex } from './primitives.js';

export const blob = z
  .strictObject({
    blobId,
    sizeBytes: z.number().int(),
    manifestId: sha256Hex,
    chunkBytes: z.number().int(),
    chunks: z.number().int(),
    /** Ed25519 by the coordinator over the manifest's bytes, base64. */
    signature: z.string(),
    createdAt: isoInstant,
    references: z.number().int(),
  })
  .meta({ id: 'Blob' });
export type Blob = z.infer<typeof blob>;

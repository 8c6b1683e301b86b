import { z } from 'zod';
import { blobId, isoInstant, sha256Hex } from './primitives.js';

export const blob = z
  .strictObject({
    blobId,
    sizeBytes: z.number().int(),
    manifestId: sha256Hex.describe('SHA-256 of its manifest, the list of the hashes of its chunks.'),
    chunkBytes: z.number().int().describe('Of every chunk but the last, which may be shorter.'),
    chunks: z.number().int(),
    signature: z.string().describe("The coordinator's over the bytes of the manifest: Ed25519, in base64."),
    createdAt: isoInstant,
    references: z.number().int().describe('Jobs and apps that need it; with none for 7 days it is removed.'),
  })
  .meta({ id: 'Blob' });
export type Blob = z.infer<typeof blob>;

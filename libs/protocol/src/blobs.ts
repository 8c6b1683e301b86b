import { z } from 'zod';
import { blobId, isoInstant, pageOf, sha256Hex } from './primitives.js';

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

export const ownBlob = z
  .strictObject({
    blobId,
    sizeBytes: z.number().int(),
    uploadedAt: isoInstant,
    references: z.number().int().describe('Jobs and apps that need it; with none for 7 days it is removed.'),
  })
  .meta({ id: 'OwnBlob' });
export type OwnBlob = z.infer<typeof ownBlob>;

export const uploadRoom = z
  .strictObject({
    heldBytes: z
      .number()
      .int()
      .describe(
        'What the uploads hold, unfinished ones with all that was announced; each counts for 64 KiB at least.',
      ),
    maxBytes: z
      .number()
      .int()
      .nullable()
      .describe('What they may hold; null for operators, who are not bound.'),
    unfinished: z
      .array(
        z
          .strictObject({
            uploadId: z.string().describe('`DELETE /v1/uploads/{uploadId}` gives it up.'),
            sizeBytes: z.number().int().describe('Of the whole content, as it was announced.'),
            begunAt: isoInstant,
            expiresAt: isoInstant.describe('Forgotten then.'),
          })
          .meta({ id: 'UnfinishedUpload' }),
      )
      .describe('Newest first, all of them.'),
  })
  .meta({ id: 'UploadRoom' });
export type UploadRoom = z.infer<typeof uploadRoom>;

export const ownBlobPage = pageOf(ownBlob)
  .extend({ room: uploadRoom.describe("What all of the account's uploads hold, on whichever page.") })
  .meta({ id: 'OwnBlobPage' });
export type OwnBlobPage = z.infer<typeof ownBlobPage>;

export const deletedBlob = z
  .strictObject({
    blobId,
    isGone: z
      .boolean()
      .describe(
        'Its room is free again; otherwise within half an hour, as somebody may be about to rely on it.',
      ),
  })
  .meta({ id: 'DeletedBlob' });
export type DeletedBlob = z.infer<typeof deletedBlob>;

import { sha256Hex } from '@gleaner/protocol';
import { DomainError } from '../http/index.js';
import type { BlobsService } from './blobs.service.js';
import type { UploadStore } from './upload-store.js';

const DIGEST = '/upload-metadata/sha256';

/**
 * Makes blobs of uploads all of which has come. That takes minutes for the largest, in which the connection that has brought
 * the last part may end, and the coordinator too: whoever asks for such an upload then waits for the same, or has it done.
 */
export class UploadCompletion {
  /** Blobs that are being made, by upload. */
  private readonly running = new Map<string, Promise<string>>();

  constructor(
    private readonly store: UploadStore,
    private readonly blobs: BlobsService,
  ) {}

  /**
   * Once for all who ask meanwhile. An upload that could not be stored, for want of a database say, stays for another time.
   *
   * @returns the blob's id
   * @throws {DomainError} `bad-digest` where the content is not what was declared: it is forgotten then
   */
  async complete(id: string, accountId: string): Promise<string> {
    const running = this.running.get(id);
    if (running) return await running;
    const completion = this.makeBlob(id, accountId);
    this.running.set(id, completion);
    try {
      return await completion;
    } finally {
      this.running.delete(id);
    }
  }

  private async makeBlob(id: string, accountId: string): Promise<string> {
    const { metadata } = await this.store.getUpload(id);
    const expectedSha256 = readDigest(metadata);
    try {
      const { sha256 } = await this.blobs.storeFile(this.store.pathOf(id), {
        accountId,
        holdId: id,
        ...(expectedSha256 === undefined ? {} : { expectedSha256, declaredAt: DIGEST }),
      });
      await this.store.forget(id);
      return `sha256:${sha256}`;
    } catch (error) {
      // Content that is not what was declared is of no use to anybody.
      if (error instanceof DomainError && error.code === 'bad-digest') await this.store.forget(id);
      throw error;
    }
  }
}

/**
 * The SHA-256 that an upload's metadata declares.
 *
 * @throws {DomainError} where that is none
 */
export function readDigest(
  metadata: Readonly<Record<string, string | null>> | undefined,
): string | undefined {
  const text = metadata?.['sha256'];
  if (text === undefined || text === null) return undefined;
  const parsed = sha256Hex.safeParse(text.replace(/^sha256:/, ''));
  if (parsed.success) return parsed.data;
  throw new DomainError('invalid-request', 'Nothing was created.', {
    errors: [{ pointer: DIGEST, detail: 'must be 64 lower-case hexadecimal digits' }],
  });
}

import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FileStore } from '@tus/file-store';
import { DomainError, translateError } from '../http/index.js';

/** Unfinished uploads that an account may have at a time. */
const MAX_UNFINISHED = 100;
export const UPLOAD_LIFETIME_MS = 7 * 24 * 3_600_000;

/** Unfinished uploads: one file each, with a description beside it. Their names begin with the account that they belong to. */
export class UploadStore extends FileStore {
  constructor(directory: string) {
    super({ directory, expirationPeriodInMilliseconds: UPLOAD_LIFETIME_MS });
    // Without a declared length nobody could tell whether there is room for it.
    this.extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
  }

  newId(accountId: string): string {
    return `${accountId}-${randomBytes(16).toString('hex')}`;
  }

  belongsTo(id: string, accountId: string): boolean {
    return new RegExp(`^${accountId}-[0-9a-f]{32}$`).test(id);
  }

  pathOf(id: string): string {
    return join(this.directory, id);
  }

  async requireRoomFor(accountId: string): Promise<void> {
    const names = await readdir(this.directory);
    if (names.filter((name) => this.belongsTo(name, accountId)).length < MAX_UNFINISHED) return;
    throw new DomainError(
      'rate-limited',
      `Finish or delete some of your ${MAX_UNFINISHED} unfinished uploads first.`,
    );
  }

  /** Unlike the original it says why writing failed, so that a full disk is told from a lost connection. */
  override async write(readable: IncomingMessage | Readable, id: string, offset: number): Promise<number> {
    let received = 0;
    const count = new Transform({
      transform(part: Buffer, _encoding, done) {
        received += part.length;
        done(null, part);
      },
    });
    try {
      await pipeline(readable, count, createWriteStream(this.pathOf(id), { flags: 'r+', start: offset }));
    } catch (error) {
      throw translateError(error);
    }
    return offset + received;
  }

  /** Removes an upload and its description, as far as they are there. */
  async forget(id: string): Promise<void> {
    await this.remove(id).catch(() => this.configstore.delete(id));
  }
}

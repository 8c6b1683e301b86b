import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FileStore } from '@tus/file-store';
import type { Upload } from '@tus/server';
import { DomainError, translateError } from '../http/index.js';
import type { BlobsService } from './blobs.service.js';
import { whileThereIsRoom } from './room-check.js';
import type { UploadRooms } from './upload-rooms.js';

/** Unfinished uploads that an account may have at a time. */
const MAX_UNFINISHED = 100;
/** Unfinished uploads of all accounts: their names are looked at when one more is created. */
const MAX_UNFINISHED_IN_ALL = 10_000;
/** Their descriptions that are read at once. */
const READ_AT_ONCE = 64;
const DESCRIPTION = '.json';
const UPLOAD_ID = /^\d+-[0-9a-f]{32}$/;
export const UPLOAD_LIFETIME_MS = 7 * 24 * 3_600_000;

/** Where room for uploads is asked for. */
export interface UploadSpace {
  /** Of the disk. */
  readonly blobs: Pick<BlobsService, 'requireSpace'>;
  /** Of the account. */
  readonly rooms: Pick<UploadRooms, 'hold' | 'release'>;
}

/**
 * Unfinished uploads: one file each, with a description beside it. Their names begin with the account that they belong to.
 * What was declared and has not come yet is room that the same account is not promised again. Others are not held to it: whoever
 * declares much and sends nothing would keep all of them from uploading. Parts look at the room that there is.
 */
export class UploadStore extends FileStore {
  private creating: Promise<unknown> = Promise.resolve();

  constructor(
    directory: string,
    private readonly space: UploadSpace,
  ) {
    super({ directory, expirationPeriodInMilliseconds: UPLOAD_LIFETIME_MS });
    // Without a declared length nobody could tell whether there is room for it.
    this.extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
  }

  newId(accountId: string): string {
    return `${accountId}-${randomBytes(16).toString('hex')}`;
  }

  belongsTo(id: string, accountId: string): boolean {
    return UPLOAD_ID.test(id) && id.startsWith(`${accountId}-`);
  }

  pathOf(id: string): string {
    return join(this.directory, id);
  }

  /** One after the other, so that no two are promised the same room. */
  override async create(upload: Upload): Promise<Upload> {
    const mine = this.creating.then(async () => {
      await this.requireRoomFor(upload);
      await this.space.rooms.hold(accountOf(upload.id), upload.id, upload.size ?? 0, UPLOAD_LIFETIME_MS);
      try {
        return await super.create(upload);
      } catch (error) {
        await this.forget(upload.id);
        throw error;
      }
    });
    this.creating = mine.catch(() => undefined);
    return await mine;
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
    const check = whileThereIsRoom(() => this.space.blobs.requireSpace(0));
    try {
      await pipeline(
        readable,
        check,
        count,
        createWriteStream(this.pathOf(id), { flags: 'r+', start: offset }),
      );
    } catch (error) {
      throw translateError(error);
    }
    return offset + received;
  }

  override async remove(id: string): Promise<void> {
    await super.remove(id);
    await this.space.rooms.release(id);
  }

  /**
   * Removes an upload and its description, as far as they are there, and the room that it was promised.
   *
   * @returns whether it was promised any
   */
  async forget(id: string): Promise<boolean> {
    await rm(this.pathOf(id), { force: true });
    await rm(this.pathOf(`${id}${DESCRIPTION}`), { force: true });
    return await this.space.rooms.release(id);
  }

  /** The original knows only those that are there with a readable description: a crash or a power cut may leave either half. */
  override async deleteExpired(now = Date.now()): Promise<number> {
    const names = await readdir(this.directory);
    const ids = new Set(names.map((name) => basename(name, DESCRIPTION)).filter((id) => UPLOAD_ID.test(id)));
    let deleted = 0;
    for (const id of ids) {
      if (now - (await this.begunAtMs(id)) < UPLOAD_LIFETIME_MS) continue;
      await this.forget(id);
      deleted += 1;
    }
    return deleted;
  }

  /** Where no description says it, when its files were last written; now for what is gone. */
  private async begunAtMs(id: string): Promise<number> {
    const description = await this.configstore.get(id);
    const saidMs = Date.parse(description?.creation_date ?? '');
    if (!Number.isNaN(saidMs)) return saidMs;
    const files = [this.pathOf(id), this.pathOf(`${id}${DESCRIPTION}`)];
    const times = await Promise.all(files.map((path) => stat(path).catch(() => null)));
    return Math.max(...times.map((file) => file?.mtimeMs ?? 0)) || Date.now();
  }

  private async requireRoomFor({ id, size }: Upload): Promise<void> {
    const accountId = accountOf(id);
    const ids = (await readdir(this.directory)).filter((name) => UPLOAD_ID.test(name));
    const own = ids.filter((other) => this.belongsTo(other, accountId));
    if (own.length >= MAX_UNFINISHED) {
      throw new DomainError(
        'rate-limited',
        `Finish or delete some of your ${MAX_UNFINISHED} unfinished uploads first.`,
      );
    }
    if (ids.length >= MAX_UNFINISHED_IN_ALL) {
      throw new DomainError('server-busy', 'Too many uploads are unfinished: try again later.');
    }
    await this.space.blobs.requireSpace((size ?? 0) + (await this.promisedBytes(own)));
  }

  /** Declared bytes of these uploads that have not been written yet. */
  private async promisedBytes(ids: readonly string[]): Promise<number> {
    let bytes = 0;
    for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
      const missing = ids.slice(from, from + READ_AT_ONCE).map((id) => this.missingBytes(id));
      for (const each of await Promise.all(missing)) bytes += each;
    }
    return bytes;
  }

  private async missingBytes(id: string): Promise<number> {
    try {
      const { size, offset } = await this.getUpload(id);
      return Math.max(0, (size ?? 0) - offset);
    } catch {
      // Finished or deleted meanwhile, or the half of one: it will write nothing any more.
      return 0;
    }
  }
}

function accountOf(id: string): string {
  return id.split('-', 1)[0] ?? '';
}

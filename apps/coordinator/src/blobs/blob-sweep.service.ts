import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/index.js';
import { BLOB_STORE, BLOB_STORE_PARTS, type BlobStore } from './blob-store.js';
import { BlobsService } from './blobs.service.js';
import { UploadRooms } from './upload-rooms.js';
import { UPLOAD_LIFETIME_MS, UploadStore } from './upload-store.js';

export interface Swept {
  readonly blobs: number;
  readonly uploads: number;
  readonly files: number;
  /** Content that no row names. */
  readonly strays: number;
}

/** Makes room: blobs that nobody needs, uploads that nobody finished, files that no request completed. */
@Injectable()
export class BlobSweep {
  /** Begins anywhere, so that processes which never live for all parts look at all of them in the long run. */
  private part = randomInt(BLOB_STORE_PARTS);

  constructor(
    private readonly blobs: BlobsService,
    private readonly rooms: UploadRooms,
    @Inject(BLOB_STORE) private readonly store: BlobStore,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async sweep(signal: AbortSignal): Promise<Swept> {
    let blobs = 0;
    for (let batch = 1; batch > 0 && !signal.aborted; blobs += batch)
      batch = await this.blobs.sweepUnreferenced();
    const directory = uploadsDirectory(this.config);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const unfinished = new UploadStore(directory, { blobs: this.blobs, rooms: this.rooms });
    const uploads = signal.aborted ? 0 : await unfinished.deleteExpired();
    for (const id of await this.rooms.listAbandoned()) await unfinished.forget(id);
    const files = signal.aborted ? 0 : await this.store.removeAbandoned(UPLOAD_LIFETIME_MS);
    const strays = signal.aborted ? 0 : await this.blobs.sweepStrays(this.part);
    this.part = (this.part + 1) % BLOB_STORE_PARTS;
    return { blobs, uploads, files, strays };
  }
}

export function uploadsDirectory(config: Config): string {
  return join(config.dataDir, 'uploads');
}

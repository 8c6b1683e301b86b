import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RunStore, StoredRun } from '@gleaner/domain';

const READ_AHEAD_BYTES = 64 * 1024;

/**
 * Sorted runs as files, below a directory that is emptied first. Whoever lost its lock with its connection may still be writing there:
 * each has a part of it for itself, so that it misses its runs, never reads another's, and takes none of them along when it ends.
 */
export class DiskRunStore implements RunStore {
  private constructor(
    private readonly shared: string,
    private readonly directory: string,
    private readonly requireSpace: () => Promise<void>,
  ) {}

  /**
   * Takes the directory over, whatever an interrupted merge left in it.
   *
   * @param requireSpace throws where the disk has too little left; asked before each run
   */
  static async open(directory: string, requireSpace: () => Promise<void>): Promise<DiskRunStore> {
    await rm(directory, { recursive: true, force: true });
    const own = join(directory, randomUUID());
    await mkdir(own, { recursive: true, mode: 0o700 });
    return new DiskRunStore(directory, own, requireSpace);
  }

  async write(content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredRun> {
    await this.requireSpace();
    const path = join(this.directory, `${randomUUID()}.run`);
    await pipeline(Readable.from(content), createWriteStream(path, { mode: 0o600 }), { signal });
    return {
      read: () => readFile(path),
      discard: () => rm(path, { force: true }),
    };
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    // Fails while somebody else's are left there, as it should.
    await rmdir(this.shared).catch(() => undefined);
  }
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  for await (const piece of createReadStream(path, { highWaterMark: READ_AHEAD_BYTES })) {
    if (!(piece instanceof Uint8Array)) throw new TypeError('runs must be read as bytes');
    yield piece;
  }
}

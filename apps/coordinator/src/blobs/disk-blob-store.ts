import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { BlobStore, ByteRange } from './blob-store.js';
import type { HashedContent } from './hash-content.js';

const READ_AHEAD_BYTES = 256 * 1024;

/** Content-addressed files: `blobs/ab/abcd….bin` and `….manifest`; what is not complete yet is in `blobs/incoming`. */
export class DiskBlobStore implements BlobStore {
  private constructor(private readonly directory: string) {}

  static async open(directory: string): Promise<DiskBlobStore> {
    await mkdir(join(directory, 'incoming'), { recursive: true, mode: 0o700 });
    return new DiskBlobStore(directory);
  }

  temporaryPath(): string {
    return join(this.directory, 'incoming', randomUUID());
  }

  async adopt(path: string, content: HashedContent): Promise<void> {
    const target = this.contentPath(content.sha256);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const manifest = this.temporaryPath();
    await writeFile(manifest, content.manifestBytes, { flush: true, mode: 0o600 });
    await syncPath(path);
    // The manifest first: content without its manifest would be unusable, the other way round is nothing.
    await rename(manifest, this.manifestPath(content.sha256));
    await rename(path, target);
    await syncPath(dirname(target));
  }

  async open(sha256: string, range?: ByteRange): Promise<Readable> {
    const path = this.contentPath(sha256);
    await stat(path);
    return createReadStream(path, { ...range, highWaterMark: READ_AHEAD_BYTES });
  }

  async readManifest(sha256: string): Promise<Buffer> {
    return await readFile(this.manifestPath(sha256));
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.contentPath(sha256), { force: true });
    await rm(this.manifestPath(sha256), { force: true });
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.directory);
    return bavail * bsize;
  }

  async removeAbandoned(olderThanMs: number, now = Date.now()): Promise<number> {
    const incoming = join(this.directory, 'incoming');
    let removed = 0;
    for (const name of await readdir(incoming)) {
      const path = join(incoming, name);
      // Whoever wrote it may have finished with it meanwhile.
      const modified = await stat(path).catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      });
      if (!modified || now - modified.mtimeMs < olderThanMs) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  private contentPath(sha256: string): string {
    return join(this.directory, sha256.slice(0, 2), `${sha256}.bin`);
  }

  private manifestPath(sha256: string): string {
    return join(this.directory, sha256.slice(0, 2), `${sha256}.manifest`);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** After a power cut the file, or the directory's entry, is still there. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { BlobStore, ByteRange } from './blob-store.js';
import type { HashedContent } from './hash-content.js';

const READ_AHEAD_BYTES = 256 * 1024;
const CONTENT_NAME = /^([0-9a-f]{64})\.(?:bin|manifest)$/;

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
    try {
      await writeFile(manifest, content.manifestBytes, { flush: true, mode: 0o600 });
      await syncPath(path);
      // The manifest first: content without its manifest would be unusable, the other way round is nothing.
      await rename(manifest, this.manifestPath(content.sha256));
      await this.nameAlso(path, target);
    } catch (error) {
      await rm(manifest, { force: true });
      // Another coordinator that stored the same file at this moment has removed it since: the content is in its place.
      if (!isMissing(error) || !(await this.has(content.sha256))) throw error;
    }
    await syncPath(dirname(target));
  }

  async open(sha256: string, range?: ByteRange): Promise<Readable> {
    const path = this.contentPath(sha256);
    await stat(path);
    return createReadStream(path, { ...range, highWaterMark: READ_AHEAD_BYTES });
  }

  async has(sha256: string): Promise<boolean> {
    try {
      await stat(this.contentPath(sha256));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async readManifest(sha256: string): Promise<Buffer> {
    return await readFile(this.manifestPath(sha256));
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.contentPath(sha256), { force: true });
    await rm(this.manifestPath(sha256), { force: true });
  }

  async listOld(part: number, olderThanMs: number, now = Date.now()): Promise<string[]> {
    const directory = join(this.directory, part.toString(16).padStart(2, '0'));
    const names = await readdir(directory).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const digests = new Set<string>();
    for (const name of names) {
      const sha256 = CONTENT_NAME.exec(name)?.[1];
      if (sha256 === undefined || digests.has(sha256)) continue;
      if (await isOlder(join(directory, name), olderThanMs, now)) digests.add(sha256);
    }
    return [...digests];
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
      if (!(await isOlder(path, olderThanMs, now))) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  /** The file keeps its own name beside the new one: until a row names the content, it is its owner's alone. */
  private async nameAlso(path: string, target: string): Promise<void> {
    const second = this.temporaryPath();
    try {
      await link(path, second);
    } catch {
      // A volume without hard links says so in its own way; what else is wrong the renaming tells.
      await rename(path, target);
      return;
    }
    await rename(second, target);
    // Nothing is renamed where both are names of one file already.
    await rm(second, { force: true });
  }

  private contentPath(sha256: string): string {
    return join(this.directory, sha256.slice(0, 2), `${sha256}.bin`);
  }

  private manifestPath(sha256: string): string {
    return join(this.directory, sha256.slice(0, 2), `${sha256}.manifest`);
  }
}

/** false for what is gone: whoever wrote it may have finished with it meanwhile. */
async function isOlder(path: string, olderThanMs: number, now: number): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path);
    return now - mtimeMs >= olderThanMs;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
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

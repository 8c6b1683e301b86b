import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { writeWhole } from '@gleaner/worker-sdk/write-whole';
import { z } from 'zod';
import { isAlive } from '../processes/is-alive.js';

/** Coordinators forget unfinished uploads after a week. */
const KEPT_MS = 7 * 24 * 3_600_000;

const record = z.object({ address: z.string(), pid: z.number() });

/**
 * The upload of one content to one coordinator, in case it does not come to its end: a small file in the user's cache names
 * its address, so that the same command goes on with it. It holds no token. Where nothing can be kept, an upload begins anew.
 */
export class BegunUpload {
  private constructor(private readonly path: string | null) {}

  static of(coordinatorUrl: string, blobId: string): BegunUpload {
    const directory = cacheDirectory();
    const name = createHash('sha256').update(`${coordinatorUrl}\n${blobId}`).digest('hex');
    return new BegunUpload(directory === null ? null : join(directory, `${name}.json`));
  }

  /** As the coordinator told it; undefined where there is none, or another command is just sending it. */
  async address(): Promise<string | undefined> {
    const found = await this.#read();
    return found && !isOfAnother(found) ? found.address : undefined;
  }

  /** @returns whether it will be found again */
  async remember(address: string): Promise<boolean> {
    const found = await this.#read();
    if (this.path === null || (found && isOfAnother(found))) return false;
    try {
      const directory = join(this.path, '..');
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await removeOld(directory);
      const temporary = `${this.path}.${process.pid}.tmp`;
      await writeWhole(this.path, JSON.stringify({ address, pid: process.pid }), {
        isSynced: false,
        temporary,
      });
      return true;
    } catch {
      return false;
    }
  }

  async forget(): Promise<void> {
    if ((await this.address()) === undefined || this.path === null) return;
    await rm(this.path, { force: true }).catch(() => undefined);
  }

  async #read(): Promise<z.infer<typeof record> | undefined> {
    try {
      return record.parse(JSON.parse(await readFile(this.path ?? '', 'utf8')));
    } catch {
      return undefined;
    }
  }
}

function isOfAnother({ pid }: z.infer<typeof record>): boolean {
  return pid !== process.pid && isAlive(pid);
}

async function removeOld(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > KEPT_MS) await rm(path, { force: true });
  }
}

/** By the XDG Base Directory Specification: what is empty or relative is none. Null for a user without a home. */
function cacheDirectory(): string | null {
  const told = process.env['XDG_CACHE_HOME'] ?? '';
  try {
    return join(isAbsolute(told) ? told : join(homedir(), '.cache'), 'gleaner', 'uploads');
  } catch {
    return null;
  }
}

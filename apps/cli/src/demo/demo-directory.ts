import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../processes/is-alive.js';

const PREFIX = 'gleaner-demo-';
const OWNER = 'owner.pid';

/** The demo's data in the system's temporary directory; gone when it is disposed of. */
export class DemoDirectory implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** Makes one, and removes those that demos left which were killed. */
  static async create(): Promise<DemoDirectory> {
    await removeAbandoned();
    const path = await mkdtemp(join(tmpdir(), PREFIX));
    await writeFile(join(path, OWNER), String(process.pid));
    // Postgres runs as another user when we are root, and has to pass through here.
    await chmod(path, 0o711);
    return new DemoDirectory(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    // Another user's, or one that is just being made, has no readable owner and stays.
    const owner = Number(await readFile(join(path, OWNER), 'utf8').catch(() => Number.NaN));
    if (owner > 0 && !isAlive(owner)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

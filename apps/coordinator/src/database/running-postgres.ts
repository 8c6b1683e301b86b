import { readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, workingDirectoryOf } from './process-identity.js';

const STOP_TIMEOUT_MS = 30_000;
/** A server that was told to end at once. */
const ABORT_TIMEOUT_MS = 5_000;
const POLL_MS = 40;

/** What a server writes into its cluster while it runs, and leaves there when it crashes. */
const PID_FILE = 'postmaster.pid';

/** The server of a cluster; null where none lives. */
export async function findRunning(cluster: string): Promise<{ pid: number; port: number } | null> {
  // Process id, directory, start time, port, …
  const lines = (await readText(join(cluster, PID_FILE))).split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || pid <= 0 || !Number.isInteger(port) || port <= 0) return null;
  return isAlive(pid) && (await worksIn(pid, cluster)) ? { pid, port } : null;
}

/**
 * After a crash of the machine another program may have the number that the file names. Postgres does not start where that is one of
 * our own, as it always is where we are not root; so the file goes, if that program is known to work elsewhere.
 */
export async function forgetCrashed(cluster: string): Promise<void> {
  const path = join(cluster, PID_FILE);
  const pid = Number.parseInt(await readText(path), 10);
  if (pid > 0 && isAlive(pid) && (await worksIn(pid, cluster)) === false) await rm(path, { force: true });
}

/** Whether it is the cluster's server, and not another program that must not be waited for, or ended; null: the system does not tell. */
async function worksIn(pid: number, cluster: string): Promise<boolean | null> {
  const [theirs, ours] = await Promise.all([workingDirectoryOf(pid), realpath(cluster)]);
  return theirs === null ? null : theirs === ours;
}

/** Ends a server in order, open transactions rolled back; at once where that takes too long. Without effect where it has ended. */
export async function stopPostgres(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  signal(pid, 'SIGINT');
  if (!(await waitForEnd(pid, STOP_TIMEOUT_MS))) await abortPostgres(pid);
}

/** Ends a server at once; its next start recovers what was written. */
export async function abortPostgres(pid: number): Promise<void> {
  signal(pid, 'SIGQUIT');
  if (!(await waitForEnd(pid, ABORT_TIMEOUT_MS))) signal(pid, 'SIGKILL');
}

/** Nothing where there is no such file. */
export async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  const until = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > until) return false;
    await delay(POLL_MS);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself between the check and the signal.
  }
}

import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attachment } from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { readStatus, type AgentStatus } from '../status-file.js';

/** A running agent needs a moment to keep or return what it computes for the project. */
const LEAVE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

/** A project that the file of attachments names no more. */
export interface Leaving {
  readonly attachment: Attachment;
  /** When the last file was written that named it. */
  readonly listedAtMs: number | null;
  /** When the first one was written without it; null where it was the last project, and the file is gone. */
  readonly leftAtMs: number | null;
}

/**
 * Resolves when nobody uses what belongs to the project any more.
 *
 * @throws {AgentError} when the running agent does not let go of it, or whoever waits is told to stop
 */
export async function untilLeft(
  directory: DataDirectory,
  leaving: Leaving,
  stopTold: AbortSignal,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < LEAVE_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    const lock = DirectoryLock.tryAcquire(directory);
    if (lock) {
      // No agent runs, and what the last one said is about a project that is left.
      await rm(directory.file('status.json'), { force: true });
      lock[Symbol.dispose]();
      return;
    }
    const status = await readStatus(directory);
    if (status && hasLeft(status, leaving)) return;
    if (stopTold.aborted) throw new AgentError(`stopped by ${String(stopTold.reason)}`, EXIT.failure);
    await delay(LOOK_EVERY_MS);
  }
  throw new AgentError('the running agent does not let go of the project: stop it, then detach again');
}

/** That the project is not among the agent's tells nothing before the agent knows that it was to leave it. */
function hasLeft(
  { projects, attachmentsAtMs }: AgentStatus,
  { attachment, listedAtMs, leftAtMs }: Leaving,
): boolean {
  if (projects.some(({ coordinator }) => coordinator === attachment.coordinator)) return false;
  if (leftAtMs !== null) return attachmentsAtMs !== null && attachmentsAtMs >= leftAtMs;
  return attachmentsAtMs === null || attachmentsAtMs > (listedAtMs ?? 0);
}

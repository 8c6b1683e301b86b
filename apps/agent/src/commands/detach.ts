import { setTimeout as delay } from 'node:timers/promises';
import { rm } from 'node:fs/promises';
import { detachHost } from '@gleaner/worker-sdk';
import { findAttachment, requireAttachments, writeAttachments, type Attachment } from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { trustSystemAuthorities } from '../network-settings.js';
import { readStatus } from '../status-file.js';
import { coordinatorUrl } from './coordinator-url.js';

/** A running agent needs a moment to keep or return what it computes for the project. */
const LEAVE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

export interface DetachCommand {
  readonly directory: DataDirectory;
  /** Which project to leave; may be left out where there is only one. */
  readonly url: string | undefined;
  readonly json: boolean;
}

/** Leaves a project; an agent that runs goes on with the others. */
export async function detach({ directory, url, json }: DetachCommand): Promise<void> {
  const attachment = await leave(directory, url);
  trustSystemAuthorities(new URL(attachment.coordinator));
  await untilLeft(directory, attachment);
  // A volunteer may leave a project that is gone: the token is forgotten here in any case.
  const refusal = await detachHost(attachment, AbortSignal.timeout(30_000)).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  await directory.forgetProject(attachment);
  const { coordinator } = attachment;
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ detached: true, coordinator, told: refusal === null, refusal })}\n`,
    );
    return;
  }
  process.stderr.write(`Detached from ${coordinator}.\n`);
  if (refusal !== null) process.stderr.write(`The coordinator could not be told: ${refusal}\n`);
}

/** Takes the project out of the file, which is how a running agent learns of it. */
async function leave(directory: DataDirectory, url: string | undefined): Promise<Attachment> {
  await requireAttachments(directory);
  using _ = DirectoryLock.acquire(directory.file('attach.lock'), directory.path);
  const all = await requireAttachments(directory);
  const chosen = url === undefined ? onlyOne(all) : findAttachment(all, coordinatorUrl(url));
  if (!chosen) {
    const known = all.map(({ coordinator }) => coordinator).join(', ');
    throw new AgentError(`this machine is not attached to ${url ?? ''}; it is to ${known}`, EXIT.usage);
  }
  const others = all.filter((one) => one !== chosen);
  await writeAttachments(directory, others);
  return chosen;
}

function onlyOne(all: readonly Attachment[]): Attachment | undefined {
  if (all.length <= 1) return all[0];
  const known = all.map(({ coordinator }) => coordinator).join(', ');
  throw new AgentError(`say which project to leave: gleaner agent detach URL (one of ${known})`, EXIT.usage);
}

/** Nobody may be using what is forgotten next. */
async function untilLeft(directory: DataDirectory, { coordinator }: Attachment): Promise<void> {
  for (let waitedMs = 0; waitedMs < LEAVE_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    const lock = DirectoryLock.tryAcquire(directory.file('agent.lock'));
    if (lock) {
      // No agent runs, and what the last one said is about a project that is left.
      await rm(directory.file('status.json'), { force: true });
      lock[Symbol.dispose]();
      return;
    }
    const status = await readStatus(directory);
    if (status && !status.projects.some((project) => project.coordinator === coordinator)) return;
    await delay(LOOK_EVERY_MS);
  }
  throw new AgentError('the running agent does not let go of the project: stop it, then detach again');
}

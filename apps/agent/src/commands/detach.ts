import { detachHost } from '@gleaner/worker-sdk';
import {
  attachmentsChangedAtMs,
  findAttachment,
  requireAttachments,
  writeAttachments,
  type Attachment,
} from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { tell } from '../terminal.js';
import { coordinatorUrl } from './coordinator-url.js';
import { untilLeft, type Leaving } from './until-left.js';

export interface DetachCommand {
  readonly directory: DataDirectory;
  /** Which project to leave; may be left out where there is only one. */
  readonly url: string | undefined;
  readonly json: boolean;
}

/** Leaves a project; an agent that runs goes on with the others. */
export async function detach({ directory, url, json }: DetachCommand): Promise<void> {
  const leaving = await leave(directory, url);
  const { attachment } = leaving;
  await untilLeft(directory, leaving);
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
  tell(`Detached from ${coordinator}.`);
  if (refusal !== null) tell(`The coordinator could not be told: ${refusal}`);
}

/** Takes the project out of the file, which is how a running agent learns of it. */
async function leave(directory: DataDirectory, url: string | undefined): Promise<Leaving> {
  await requireAttachments(directory);
  using _ = DirectoryLock.acquireAttachments(directory);
  const all = await requireAttachments(directory);
  const chosen = url === undefined ? onlyOne(all) : findAttachment(all, coordinatorUrl(url));
  if (!chosen) {
    const known = all.map(({ coordinator }) => coordinator).join(', ');
    throw new AgentError(`this machine is not attached to ${url ?? ''}; it is to ${known}`, EXIT.usage);
  }
  const others = all.filter((one) => one !== chosen);
  const listedAtMs = attachmentsChangedAtMs(directory);
  await writeAttachments(directory, others);
  return { attachment: chosen, listedAtMs, leftAtMs: attachmentsChangedAtMs(directory) };
}

function onlyOne(all: readonly Attachment[]): Attachment | undefined {
  if (all.length <= 1) return all[0];
  const known = all.map(({ coordinator }) => coordinator).join(', ');
  throw new AgentError(`say which project to leave: gleaner agent detach URL (one of ${known})`, EXIT.usage);
}

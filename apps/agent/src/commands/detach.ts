import { detachHost } from '@gleaner/worker-sdk';
import {
  attachmentsChangedAtMs,
  findAttachment,
  readAttachments,
  requireAttachments,
  writeAttachments,
  type Attachment,
} from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { listenForStop } from '../stop-request.js';
import { tell } from '../terminal.js';
import { coordinatorUrl } from './coordinator-url.js';
import { untilLeft, type Leaving } from './until-left.js';

export interface DetachCommand {
  readonly directory: DataDirectory;
  /** Which project to leave; may be left out where there is only one. */
  readonly url: string | undefined;
  readonly json: boolean;
}

/** How long a coordinator is waited for that does not answer. */
const TELL_WITHIN_MS = 30_000;

/** Leaves a project; an agent that runs goes on with the others. Who is told to stop meanwhile stays, or leaves at once. */
export async function detach({ directory, url, json }: DetachCommand): Promise<void> {
  const stopTold = listenForStop(EXIT.failure);
  await requireAttachments(directory);
  // To the end: what another attach begins to keep where the project was would be forgotten with it.
  using _ = DirectoryLock.acquireAttachments(directory);
  const leaving = await leave(directory, url);
  const { attachment } = leaving;
  try {
    await untilLeft(directory, leaving, stopTold);
  } catch (error) {
    // The running agent uses it, and only an attached project can be detached again.
    await writeAttachments(directory, [...(await readAttachments(directory)), attachment]);
    throw stillAttached(attachment, error);
  }
  // A volunteer may leave a project that is gone: the token is forgotten here in any case.
  const signal = AbortSignal.any([stopTold, AbortSignal.timeout(TELL_WITHIN_MS)]);
  const refusal = await detachHost(attachment, signal).then(
    () => null,
    (error: unknown) => (stopTold.aborted ? `stopped by ${String(stopTold.reason)}` : messageOf(error)),
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

function stillAttached({ coordinator }: Attachment, error: unknown): AgentError {
  const code = error instanceof AgentError ? error.exitCode : EXIT.failure;
  return new AgentError(`${messageOf(error)}; this machine still belongs to ${coordinator}`, code, {
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Takes the project out of the file, which is how a running agent learns of it. */
async function leave(directory: DataDirectory, url: string | undefined): Promise<Leaving> {
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

import { detachHost } from '@gleaner/worker-sdk';
import type { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { trustSystemAuthorities } from '../network-settings.js';
import { AgentError, EXIT } from '../exit-codes.js';

/** Tells the coordinator that this host leaves for good, then forgets its token and its tasks. */
export async function detach(command: { directory: DataDirectory; json: boolean }): Promise<void> {
  const { directory } = command;
  const attachment = await directory.readAttachment();
  if (!attachment)
    throw new AgentError(`${directory.path} is not attached to a coordinator`, EXIT.notAttached);
  trustSystemAuthorities(new URL(attachment.coordinator));
  using _ = DirectoryLock.acquire(directory.file('agent.lock'), directory.path);
  // A volunteer may leave a project that is gone: the token is forgotten here in any case.
  const refusal = await detachHost(attachment, AbortSignal.timeout(30_000)).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  await directory.forgetAttachment();
  if (command.json) {
    process.stdout.write(`${JSON.stringify({ detached: true, told: refusal === null, refusal })}\n`);
    return;
  }
  process.stderr.write(`Detached from ${attachment.coordinator}.\n`);
  if (refusal !== null) process.stderr.write(`The coordinator could not be told: ${refusal}\n`);
}

import { createHash } from 'node:crypto';
import { sha256Hex } from '@gleaner/protocol';
import { z } from 'zod';
import type { LogEvent } from '../agent-log.js';
import type { Attachment } from '../attachments.js';
import { OWNER_NAME, type DataDirectory } from '../data-directory.js';
import { readStateFile } from '../state-files.js';

/** Whose tasks and results are in a project's directory. */
const owner = z.object({ v: z.literal(1), coordinator: z.string(), tokenSha256: sha256Hex });

/**
 * Removes what another project has left in this one's directory, as a detach does that is killed: coordinators number their
 * units alike, and a result would be taken for that of another unit. A project that has moved is known by the host's token,
 * one that was attached anew by its address.
 */
export async function claimState(
  directory: DataDirectory,
  attachment: Attachment,
  log: LogEvent,
): Promise<void> {
  const own = directory.of(attachment);
  await own.create();
  const { coordinator } = attachment;
  const tokenSha256 = createHash('sha256').update(attachment.token).digest('hex');
  const withoutIt = "what is in this directory is taken for this project's";
  const before = readStateFile(own, { name: OWNER_NAME, schema: owner, withoutIt }, log);
  if (before?.coordinator === coordinator && before.tokenSha256 === tokenSha256) return;
  if (before && before.coordinator !== coordinator && before.tokenSha256 !== tokenSha256) {
    await directory.forgetProject(attachment);
    await own.create();
    log('leftovers-removed', { of: before.coordinator });
  }
  // On a full disk it is as it was before there was this file, and written at the next start.
  await own.writeWhole(OWNER_NAME, JSON.stringify({ v: 1, coordinator, tokenSha256 })).catch(() => undefined);
}

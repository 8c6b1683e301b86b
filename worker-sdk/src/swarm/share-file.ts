import type { Manifest } from '@gleaner/protocol';
import type { FileTicket, SharedFiles } from './shared-files.js';
import type { SwarmSession } from './swarm-session.js';

/** Shares a file from now on; those that have to make room for it are shared no longer. */
export async function shareFile(
  { files, session }: { readonly files: SharedFiles; readonly session: SwarmSession },
  { location, ticket }: FileTicket,
  manifest: Manifest,
  options: Parameters<SharedFiles['add']>[2] = {},
): Promise<void> {
  for (const dropped of await files.add(location, ticket, options)) await session.leave(dropped);
  await session.join({ location, ticket }, manifest);
}

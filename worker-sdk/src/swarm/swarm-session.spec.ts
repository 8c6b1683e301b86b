import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { chunkSizeBytes, manifestBytes, type Manifest } from '@gleaner/protocol';
import type { SwarmCoordinator } from '@gleaner/swarm/process';
import { ChunkStore } from '@gleaner/swarm/store';
import { expect, it } from 'vitest';
import { SwarmOffice } from './coordinator.fixture.js';
import { Membership } from './membership.js';
import { SharedFiles } from './shared-files.js';
import { DEFAULT_SWARM_PREFERENCES } from './swarm-preferences.js';
import { SwarmSession } from './swarm-session.js';

const LOOPBACK = process.platform === 'darwin' ? 'lo0' : 'lo';
const CHUNK = chunkSizeBytes(1);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const away = () => Promise.reject(new Error('the coordinator is away'));
const AWAY: SwarmCoordinator = { announce: away, requestOriginTickets: away, fetchChunk: away };

/** A file whose chunks differ from each other, and from those of a file that is filled otherwise. */
function aFile(chunks: number, fill: number) {
  const pieces = Array.from({ length: chunks }, (_, index) => new Uint8Array(CHUNK).fill(fill + index));
  const size = chunks * CHUNK;
  const manifest: Manifest = { v: 1, alg: 'sha256', size, chunk: CHUNK, hashes: pieces.map(sha256) };
  const manifestId = sha256(manifestBytes(manifest));
  const blobId = `sha256:${'0'.repeat(64)}`;
  const location = { blobId, manifestId, sizeBytes: size, manifestUrl: '/manifest', contentUrl: '/content' };
  return { pieces, manifest, manifestId, location };
}
type File = ReturnType<typeof aFile>;

/** A session that shares nothing yet; its process; and tickets for what it is to share. */
async function aSession(office: SwarmOffice, store: ChunkStore, coordinator = AWAY) {
  const { signal } = new AbortController();
  const membership = await Membership.open(office.client, office.directory);
  await membership.renew(signal);
  const files = await SharedFiles.open(office.client, membership.identity.peerId, office.directory);
  let pid = 0;
  const session = await SwarmSession.start({
    membership,
    store,
    coordinator,
    coordinatorUrl: office.client.baseUrl,
    preferences: { ...DEFAULT_SWARM_PREFERENCES, interfaces: [LOOPBACK] },
    failures: 0,
    memory: undefined,
    mostExchangedBytes: Number.POSITIVE_INFINITY,
    onBudgetUsed: () => undefined,
    log: (event, fields) => {
      if (event === 'swarm-started') pid = Number(fields?.['pid']);
    },
  });
  const ticketed = async ({ location }: File) => {
    const ticket = await files.ticketFor(location, signal);
    if (!ticket) throw new Error('no ticket');
    return { location, ticket };
  };
  return { session, pid, ticketed };
}

it.skipIf(process.platform === 'win32')(
  'lets those go who wait for a file whose chunks were being evicted when the process ended',
  async () => {
    await using office = await SwarmOffice.open();
    const store = await ChunkStore.open({ directory: join(office.directory, 'chunks'), quotaBytes: 1e6 });
    const { session, pid, ticketed } = await aSession(office, store);
    const { location, manifest, manifestId } = aFile(1, 1);
    await session.join(await ticketed(aFile(1, 1)), manifest);
    const { signal } = new AbortController();
    const fetching = session.peerFetch({ location, manifest, indices: [0] }).fetch([0], signal);
    fetching.catch(() => undefined);
    process.kill(pid, 'SIGSTOP');
    const pausing = session.pause(manifestId);
    process.kill(pid, 'SIGKILL');
    // That it has ended is told by its end, or by what could not be written to it any more.
    const ended = /SIGKILL|EPIPE/;
    await expect(pausing).rejects.toThrow(ended);
    await Promise.all([session.close(), store.close()]);
    await expect(fetching).rejects.toThrow(ended);
  },
);

it('shares nothing of what is evicted at the moment at which it begins to', async () => {
  await using office = await SwarmOffice.open();
  const [shared, slow, wanted] = [aFile(2, 1), aFile(1, 50), aFile(1, 90)];
  const resumed: Array<Promise<void>> = [];
  let sharing: SwarmSession | undefined;
  const store = await ChunkStore.open({
    directory: join(office.directory, 'chunks'),
    quotaBytes: 2 * CHUNK,
    onEvicting: (manifestId) => sharing?.pause(manifestId),
    onEvicted: (manifestId, isKept) => {
      if (sharing) resumed.push(sharing.resume(manifestId, isKept));
    },
  });
  const delivered: number[] = [];
  const { session, ticketed } = await aSession(office, store, {
    announce: away,
    requestOriginTickets: () => Promise.resolve({ chunks: [0], otherwise: 'elsewhere', retryAfterMs: 100 }),
    fetchChunk: (_location, _manifest, chunk) => {
      delivered.push(chunk);
      return Promise.resolve(shared.pieces[chunk]!);
    },
  });
  sharing = session;
  const ticket = await ticketed(shared);
  for (const { manifestId, manifest } of [shared, wanted]) await store.openFile(manifestId, manifest);
  for (const [index, piece] of shared.pieces.entries()) await store.write(shared.manifestId, index, piece);
  using _ = await store.claim(shared.manifestId, shared.manifest, [1]);
  // The room is made as soon as the file is joined: what the disk does for the slow one comes before both.
  const claiming = store.claim(wanted.manifestId, wanted.manifest, [0]);
  const opening = store.openFile(slow.manifestId, slow.manifest);
  await session.join(ticket, shared.manifest);
  await opening;
  (await claiming)[Symbol.dispose]();
  await Promise.all(resumed);
  using again = await store.claim(shared.manifestId, shared.manifest, [0]);
  expect(again.missing).toEqual([0]);
  const { location, manifest } = shared;
  const peers = session.peerFetch({ location, manifest, indices: again.missing });
  await peers.fetch(again.missing, AbortSignal.timeout(30_000));
  expect(delivered).toEqual([0]);
  await expect.poll(() => [...(store.have(shared.manifestId) ?? [])]).toEqual([0, 1]);
  await session.close();
  await store.close();
});

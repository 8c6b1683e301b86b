import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { chunkSizeBytes, manifestBytes, type Manifest } from '@gleaner/protocol';
import { ChunkStore } from '@gleaner/swarm/store';
import { expect, it } from 'vitest';
import { SwarmOffice } from './coordinator.fixture.js';
import { Membership } from './membership.js';
import { SharedFiles } from './shared-files.js';
import { DEFAULT_SWARM_PREFERENCES } from './swarm-preferences.js';
import { SwarmSession } from './swarm-session.js';

const LOOPBACK = process.platform === 'darwin' ? 'lo0' : 'lo';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const sizeBytes = 1000;
const manifest: Manifest = {
  v: 1,
  alg: 'sha256',
  size: sizeBytes,
  chunk: chunkSizeBytes(sizeBytes),
  hashes: [sha256(new Uint8Array(sizeBytes))],
};
const location = {
  blobId: `sha256:${'0'.repeat(64)}`,
  manifestId: sha256(manifestBytes(manifest)),
  sizeBytes,
  manifestUrl: '/manifest',
  contentUrl: '/content',
};

/** A session that shares one file, of which it has nothing, with nobody; and its process. */
async function aSession(office: SwarmOffice, store: ChunkStore) {
  const { signal } = new AbortController();
  const membership = await Membership.open(office.client, office.directory);
  await membership.renew(signal);
  const files = await SharedFiles.open(office.client, membership.identity.peerId, office.directory);
  const ticket = await files.ticketFor(location, signal);
  if (!ticket) throw new Error('no ticket');
  const away = () => Promise.reject(new Error('the coordinator is away'));
  let pid = 0;
  const session = await SwarmSession.start({
    membership,
    store,
    coordinator: { announce: away, requestOriginTickets: away, fetchChunk: away },
    coordinatorUrl: office.client.baseUrl,
    preferences: { ...DEFAULT_SWARM_PREFERENCES, interfaces: [LOOPBACK] },
    memory: undefined,
    mostExchangedBytes: Number.POSITIVE_INFINITY,
    onBudgetUsed: () => undefined,
    log: (event, fields) => {
      if (event === 'swarm-started') pid = Number(fields?.['pid']);
    },
  });
  await session.join({ location, ticket }, manifest);
  return { session, pid };
}

it.skipIf(process.platform === 'win32')(
  'lets those go who wait for a file whose chunks were being evicted when the process ended',
  async () => {
    await using office = await SwarmOffice.open();
    const store = await ChunkStore.open({ directory: join(office.directory, 'chunks'), quotaBytes: 1e6 });
    const { session, pid } = await aSession(office, store);
    const { signal } = new AbortController();
    const fetching = session.peerFetch({ location, manifest, indices: [0] }).fetch([0], signal);
    fetching.catch(() => undefined);
    process.kill(pid, 'SIGSTOP');
    const pausing = session.pause(location.manifestId);
    process.kill(pid, 'SIGKILL');
    await expect(pausing).rejects.toThrow('SIGKILL');
    await Promise.all([session.close(), store.close()]);
    await expect(fetching).rejects.toThrow('SIGKILL');
  },
);

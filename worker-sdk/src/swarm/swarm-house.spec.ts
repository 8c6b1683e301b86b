import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { chunkSizeBytes, manifestBytes, type Manifest } from '@gleaner/protocol';
import { ContentCache } from '@gleaner/swarm';
import { ChunkStore } from '@gleaner/swarm/store';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SwarmOffice } from './coordinator.fixture.js';
import { LateFiles } from './late-files.js';
import { Membership } from './membership.js';
import { MemoryFile } from './memory-file.js';
import { SharedFiles, type FileTicket } from './shared-files.js';
import { SwarmHouse } from './swarm-house.js';
import type { SwarmSession } from './swarm-session.js';
import { TrafficLedger } from './traffic-ledger.js';

const NEVER = new AbortController().signal;
const SIZE_BYTES = 1000;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A file that this host has, and what names it. */
interface KeptFile {
  readonly location: FileTicket['location'];
  readonly manifest: Manifest;
}

let office: SwarmOffice;
let cache: ContentCache;
let store: ChunkStore;
let files: SharedFiles;
let membership: Membership;
beforeEach(async () => {
  office = await SwarmOffice.open();
  cache = await ContentCache.open({ directory: join(office.directory, 'cache'), quotaBytes: 1e6 });
  store = await ChunkStore.open({ directory: join(office.directory, 'chunks'), quotaBytes: 1e6 });
  membership = await Membership.open(office.client, office.directory);
  await membership.renew(NEVER);
  files = await SharedFiles.open(office.client, membership.identity.peerId, office.directory);
});
afterEach(async () => {
  vi.useRealTimers();
  await store.close();
  await office[Symbol.asyncDispose]();
});

async function aFile(fill: number): Promise<KeptFile> {
  const bytes = new Uint8Array(SIZE_BYTES).fill(fill);
  const manifest: Manifest = {
    v: 1,
    alg: 'sha256',
    size: SIZE_BYTES,
    chunk: chunkSizeBytes(SIZE_BYTES),
    hashes: [sha256(bytes)],
  };
  const manifestId = sha256(manifestBytes(manifest));
  (await cache.put(manifestId, manifestBytes(manifest))).release();
  await store.openFile(manifestId, manifest);
  await store.write(manifestId, 0, bytes);
  const blobId = `sha256:${sha256(bytes)}`;
  const location = { blobId, manifestId, sizeBytes: SIZE_BYTES, manifestUrl: '/m', contentUrl: '/c' };
  return { location, manifest };
}

/** Keeps house until `isDone`, of a process that cannot open one of the files, as where somebody has removed its chunks. */
async function keepHouse(
  { location: broken }: KeptFile,
  late: LateFiles,
  isDone: (joined: readonly string[]) => boolean,
) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const joined: string[] = [];
  const warnings: unknown[] = [];
  const session: Partial<SwarmSession> = {
    join: ({ location: { manifestId } }) => {
      if (manifestId === broken.manifestId) return Promise.reject(new Error('ENOENT'));
      joined.push(manifestId);
      return Promise.resolve();
    },
    leave: () => Promise.resolve(),
    isJoined: (manifestId) => joined.includes(manifestId),
    hasMoved: () => false,
    memory: () =>
      Promise.resolve({ knownPeers: [], banned: [], revoked: [], revocationsSeen: 0, recordSeq: 0 }),
    progress: () =>
      Promise.resolve({
        bytesFromPeers: 0,
        bytesFromOrigin: 0,
        bytesToPeers: 0,
        wastedBytes: 0,
        exchangedBytes: 0,
        bannedPeers: [],
        peers: [],
        files: [],
      }),
  };
  const over = new AbortController();
  const house = new SwarmHouse({
    session: session as SwarmSession, // `as`: of a whole one nothing else is asked here
    membership,
    files,
    ledger: await TrafficLedger.open(office.directory),
    memory: new MemoryFile(office.directory),
    late,
    client: office.client,
    store,
    cache,
    manifests: { fetchManifest: () => Promise.reject(new Error('not expected to be asked')) },
    keepsReplicas: () => false,
    leftOfMonthBytes: () => Number.POSITIVE_INFINITY,
    onRound: () => undefined,
    warn: (error) => warnings.push(error),
    log: () => undefined,
  });
  const keeping = house.keep(over.signal);
  // Its time passes quickly; what it reads and asks takes real time.
  for (const untilMs = performance.now() + 10_000; !isDone(joined) && performance.now() < untilMs;) {
    await vi.advanceTimersByTimeAsync(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  over.abort();
  await keeping;
  return { joined, warnings };
}

describe('what is wrong with one file keeps no other from being shared', () => {
  it('of those that came before the process began', async () => {
    const [broken, whole] = [await aFile(1), await aFile(2)];
    const late = new LateFiles();
    for (const { location } of [broken, whole]) late.add(location);
    const { joined, warnings } = await keepHouse(broken, late, (shared) => shared.length > 0);
    expect(joined).toEqual([whole.location.manifestId]);
    expect(late.all).toEqual([]);
    expect(warnings).toEqual([new Error('ENOENT')]);
  });

  it('of those whose tickets are renewed', async () => {
    const [broken, whole] = [await aFile(1), await aFile(2)];
    // The tickets of yesterday have half an hour to go.
    office.nowMs -= 23.5 * 3600_000;
    for (const { location } of [broken, whole]) {
      const ticket = await files.ticketFor(location, NEVER);
      if (ticket) await files.add(location, ticket);
    }
    office.nowMs = Date.now();
    const { joined } = await keepHouse(broken, new LateFiles(), (shared) => shared.length > 1);
    // At the start, and with the newer ticket.
    expect(joined).toEqual(Array(2).fill(whole.location.manifestId));
  });
});

it('of files that come late the last ones are kept, as many as can be shared', () => {
  const late = new LateFiles();
  const locationOf = (at: number) => ({
    blobId: `sha256:${'0'.repeat(64)}`,
    manifestId: String(at),
    sizeBytes: 1,
    manifestUrl: '/m',
    contentUrl: '/c',
  });
  for (let at = 0; at < 61; at += 1) late.add(locationOf(at));
  late.add(locationOf(1));
  expect(late.all.map(({ manifestId }) => manifestId)).toEqual([
    ...Array.from({ length: 58 }, (_, at) => String(at + 2)),
    '60',
    '1',
  ]);
});

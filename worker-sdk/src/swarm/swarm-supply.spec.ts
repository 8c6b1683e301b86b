import { queryObjects } from 'node:v8';
import { sha256Hex, type ChunkRequest } from '@gleaner/swarm';
import { describe, expect, it } from 'vitest';
import { SwarmSupply, type PeerFetch } from './swarm-supply.js';

const CHUNK_BYTES = 256 * 1024;
const CHUNKS = 4;
const never = (): Promise<never> => new Promise(() => undefined);
const request: ChunkRequest = {
  location: {
    blobId: `sha256:${'0'.repeat(64)}`,
    manifestId: '1'.repeat(64),
    sizeBytes: CHUNKS * CHUNK_BYTES,
    manifestUrl: '/manifest',
    contentUrl: '/content',
  },
  manifest: {
    v: 1,
    alg: 'sha256',
    size: CHUNKS * CHUNK_BYTES,
    chunk: CHUNK_BYTES,
    hashes: Array.from({ length: CHUNKS }, (_, index) => sha256Hex(Uint8Array.of(index))),
  },
  indices: [0, 1, 2, 3],
};

/** A host whose store is a set; peers do what the test says. */
function aHost(init: {
  join?: (request: ChunkRequest, signal: AbortSignal) => Promise<PeerFetch | undefined>;
  fetch?: (store: Set<number>, signal: AbortSignal) => Promise<void>;
  /** What comes whenever somebody looks at what is missing. */
  arrives?: (store: Set<number>) => void;
  patienceMs?: number;
  joinPatienceMs?: number;
  aloneMs?: number;
}) {
  const store = new Set<number>();
  const asked: number[] = [];
  const log: string[] = [];
  const peers: PeerFetch = {
    fetch: (_, signal) => (init.fetch ? init.fetch(store, signal) : never()),
    missing: (indices) => {
      init.arrives?.(store);
      return indices.filter((index) => !store.has(index));
    },
  };
  const supply = new SwarmSupply({
    origin: {
      bring: ({ indices }) => {
        asked.push(...indices);
        for (const index of indices) store.add(index);
        return Promise.resolve();
      },
    },
    join: init.join ?? (() => Promise.resolve(peers)),
    log: (event) => log.push(event),
    patienceMs: init.patienceMs ?? 10,
    joinPatienceMs: init.joinPatienceMs ?? 10,
    ...(init.aloneMs !== undefined && { aloneMs: init.aloneMs }),
  });
  return { supply, store, asked, log };
}

const oneMoreChunk = (store: Set<number>) => void store.add(store.size);
const worker = new AbortController();
const aDay = (): AbortSignal => AbortSignal.timeout(86_400_000);

describe('SwarmSupply', () => {
  it.each([
    ['a task', () => new AbortController().signal],
    ['the worker', () => worker.signal],
  ])('leaves nothing behind of what it has brought for %s', async (_, signalOf) => {
    const join = (_request: ChunkRequest, signal: AbortSignal): Promise<undefined> => {
      // As what asks the coordinator makes its own of the signal.
      AbortSignal.any([signal, new AbortController().signal]);
      return Promise.resolve(undefined);
    };
    const { supply } = aHost({ join, joinPatienceMs: 60_000 });
    const before = queryObjects(AbortSignal, { format: 'count' });
    for (let times = 0; times < 50; times += 1) await supply.bring(request, signalOf());
    await expect.poll(() => queryObjects(AbortSignal, { format: 'count' }) - before).toBeLessThan(25);
  });

  it('takes everything from the origin when joining hangs', async () => {
    const { supply, asked } = aHost({ join: never });
    await supply.bring(request, aDay());
    expect(asked).toEqual([0, 1, 2, 3]);
  });

  it('takes everything from the origin when joining fails, and says why', async () => {
    const { supply, asked, log } = aHost({ join: () => Promise.reject(new Error('the process ended')) });
    await supply.bring(request, aDay());
    expect(asked).toEqual([0, 1, 2, 3]);
    expect(log).toEqual(['join-failed']);
  });

  it('leaves the origin alone while peers deliver', async () => {
    const { supply, asked } = aHost({
      fetch: (store) => {
        for (const index of request.indices) store.add(index);
        return Promise.resolve();
      },
    });
    await supply.bring(request, aDay());
    expect(asked).toEqual([]);
  });

  it('asks the origin for what is missing when peers keep silent', async () => {
    const { supply, asked } = aHost({
      fetch: (store) => {
        store.add(2);
        return never();
      },
    });
    await supply.bring(request, aDay());
    expect(asked).toEqual([0, 1, 3]);
  });

  it('does not take a small chunk now and then for progress', async () => {
    const { supply, asked } = aHost({ arrives: oneMoreChunk });
    await supply.bring({ ...request, manifest: { ...request.manifest, chunk: 1 } }, aDay());
    expect(asked).toEqual([3]);
  });

  it('asks the origin as soon as the rate so far says that peers alone would take too long', async () => {
    const chunks = 40;
    const { supply, asked } = aHost({
      arrives: (store) => {
        if (asked.length === 0) oneMoreChunk(store);
      },
      // In 40 intervals it would be there: three quarters of what it may take, and a little, are not enough.
      aloneMs: 300 - (chunks * 1024 * 1000) / (512 * 1024),
    });
    const indices = [...Array(chunks).keys()];
    await supply.bring({ ...request, manifest: { ...request.manifest, chunk: 1024 }, indices }, aDay());
    expect(asked.length).toBeGreaterThan(chunks / 2);
  });

  it('joins and asks peers anew while the origin is away', async () => {
    let joins = 0;
    const supply = new SwarmSupply({
      origin: { bring: never },
      join: () => {
        joins += 1;
        // First there is no swarm yet, then its process ends, then it runs again.
        if (joins === 1) return Promise.resolve(undefined);
        const fetch = () =>
          joins === 2 ? Promise.reject(new Error('the process ended')) : Promise.resolve();
        return Promise.resolve({ fetch, missing: (indices) => [...indices] });
      },
      log: () => undefined,
      rejoinBackoff: { baseMs: 1, maxMs: 1 },
    });
    await supply.bring(request, aDay());
    expect(joins).toBe(3);
  });

  it('tells why the origin failed when peers fail too', async () => {
    const supply = new SwarmSupply({
      origin: { bring: () => Promise.reject(new Error('no such blob')) },
      join: () =>
        Promise.resolve({
          fetch: () => Promise.reject(new Error('the process ended')),
          missing: (indices) => [...indices],
        }),
      log: () => undefined,
      rejoinBackoff: { baseMs: 1, maxMs: 1 },
    });
    await expect(supply.bring(request, aDay())).rejects.toThrow('no such blob');
  });

  it('stops when the task does, with the task’s reason', async () => {
    const controller = new AbortController();
    const { supply, asked } = aHost({ fetch: never, patienceMs: 60_000 });
    const bringing = supply.bring(request, controller.signal);
    controller.abort(new Error('the task was aborted'));
    await expect(bringing).rejects.toThrow('the task was aborted');
    expect(asked).toEqual([]);
  });
});

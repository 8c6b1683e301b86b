import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advanceGrant,
  grantFromOrigin,
  originPolicyOf,
  type OriginAsk,
  type OriginGrant,
  type OriginStep,
} from './origin-grants.js';

const CHUNK_BYTES = 256 * 1024;
const policy = originPolicyOf(4 * CHUNK_BYTES);

/** An origin with its grants, and a clock that tests move. */
class Origin {
  readonly grants = new Map<number, OriginGrant>();
  readonly distrusted = new Set<string>();
  nowMs = 0;

  outstanding(hostId?: string): number {
    let bytes = 0;
    for (const grant of this.grants.values()) {
      if (grant.stage === 'fetched' || this.nowMs >= grant.untilMs) continue;
      if (hostId === undefined || grant.hostId === hostId) bytes += CHUNK_BYTES;
    }
    return bytes;
  }

  ask(hostId: string, wanted: readonly number[], changes: Partial<OriginAsk> = {}) {
    const decision = grantFromOrigin(
      { hostId, wanted, count: 2, urgent: false, ...changes },
      {
        grantOf: (chunk) => this.grants.get(chunk),
        outstandingBytes: this.outstanding(),
        ownOutstandingBytes: this.outstanding(hostId),
        chunkBytes: CHUNK_BYTES,
        isDistrusted: (host) => this.distrusted.has(host),
      },
      policy,
      this.nowMs,
    );
    for (const [chunk, grant] of decision.grants) this.grants.set(chunk, grant);
    return { ...decision, chunks: [...decision.grants.keys()] };
  }

  fetched(chunk: number): void {
    this.took('fetched', chunk);
  }

  took(step: OriginStep, chunk: number): void {
    const grant = this.grants.get(chunk);
    if (grant) this.grants.set(chunk, advanceGrant(grant, step, policy, this.nowMs));
  }
}

const CHUNKS = [0, 1, 2, 3, 4, 5, 6, 7];

describe('origin tickets', () => {
  it('give different chunks to different hosts, as many as the line carries in a second', () => {
    const origin = new Origin();
    expect(origin.ask('a', CHUNKS).chunks).toEqual([0, 1]);
    expect(origin.ask('b', CHUNKS).chunks).toEqual([2, 3]);
    expect(origin.ask('c', CHUNKS)).toMatchObject({ chunks: [], otherwise: 'busy', retryAfterMs: 100 });
    origin.fetched(0);
    expect(origin.ask('c', CHUNKS).chunks).toEqual([4]);
  });

  it('send a host to its peers for what others have fetched, until it is urgent', () => {
    const origin = new Origin();
    for (const chunk of origin.ask('a', [0, 1]).chunks) origin.fetched(chunk);
    origin.nowMs = 60_000;
    expect(origin.ask('b', [0, 1])).toMatchObject({ chunks: [], otherwise: 'elsewhere' });
    expect(origin.ask('b', [0, 1], { urgent: true }).chunks).toEqual([0, 1]);
  });

  it('give a chunk to another when its host does not fetch it, later each time', () => {
    const origin = new Origin();
    origin.ask('a', [0]);
    expect(origin.ask('b', [0]).chunks).toEqual([]);
    origin.nowMs = policy.leaseMs;
    expect(origin.ask('b', [0]).chunks).toEqual([0]);
    expect(origin.grants.get(0)).toMatchObject({ hostId: 'b', leaseMs: 2 * policy.leaseMs });
  });

  it('leave a chunk to the host that has come for it, which may be slow, and not for ever', () => {
    const origin = new Origin();
    origin.ask('a', [0]);
    origin.nowMs = policy.leaseMs - 1;
    origin.took('begun', 0);
    origin.nowMs += policy.maxLeaseMs - 1;
    origin.took('begun', 0);
    expect(origin.ask('b', [0], { urgent: true }).chunks).toEqual([]);
    origin.nowMs += 1;
    expect(origin.ask('b', [0]).chunks).toEqual([0]);
  });

  it('give a chunk to another at once when its host has hung up before the end', () => {
    const origin = new Origin();
    origin.ask('a', [0]);
    origin.took('begun', 0);
    origin.took('broken-off', 0);
    expect(origin.ask('b', [0]).chunks).toEqual([0]);
    expect(origin.grants.get(0)).toMatchObject({ hostId: 'b', leaseMs: 2 * policy.leaseMs });
  });

  it('let a copy spread before an urgent request is served again, and keep what a host has got', () => {
    const origin = new Origin();
    origin.ask('a', [0]);
    origin.took('begun', 0);
    origin.nowMs = 10_000;
    origin.took('fetched', 0);
    origin.took('broken-off', 0);
    expect(origin.ask('b', [0], { urgent: true }).chunks).toEqual([]);
    origin.nowMs += policy.leaseMs;
    expect(origin.ask('b', [0], { urgent: true }).chunks).toEqual([0]);
  });

  it('are no means to keep a chunk from others by asking and coming again and again', () => {
    const origin = new Origin();
    for (;;) {
      origin.ask('hoarder', [0]);
      for (const step of ['begun', 'broken-off', 'begun'] as const) origin.took(step, 0);
      if (origin.ask('b', [0], { urgent: true }).chunks.length > 0) break;
      origin.nowMs += 1_000;
    }
    expect(origin.nowMs).toBeLessThanOrEqual(2 * policy.maxLeaseMs);
  });

  it('leave half of the line to others', () => {
    const origin = new Origin();
    expect(origin.ask('a', CHUNKS, { count: 16 }).chunks).toHaveLength(2);
    expect(origin.ask('a', CHUNKS, { count: 16 })).toMatchObject({ chunks: [], otherwise: 'busy' });
    expect(origin.ask('b', CHUNKS, { count: 16 }).chunks).toHaveLength(2);
  });

  it('give a host again at once what it was granted and has lost', () => {
    const origin = new Origin();
    origin.ask('a', [0]);
    expect(origin.ask('a', [0]).chunks).toEqual([0]);
  });

  it('replace the copies of a distrusted host at once, and give it none', () => {
    const origin = new Origin();
    for (const chunk of origin.ask('liar', [0, 1]).chunks) origin.fetched(chunk);
    origin.distrusted.add('liar');
    expect(origin.ask('a', [0, 1]).chunks).toEqual([0, 1]);
    expect(origin.ask('liar', [5]).chunks).toEqual([]);
  });

  const hosts = ['a', 'b', 'c', 'd', 'e'];
  const steps = fc.array(
    fc.record({
      host: fc.constantFrom(...hosts),
      wanted: fc.uniqueArray(fc.nat({ max: 7 }), { minLength: 1 }),
      count: fc.integer({ min: 1, max: 16 }),
      urgent: fc.boolean(),
      takes: fc.subarray<OriginStep>(['begun', 'broken-off', 'fetched']),
      pauseMs: fc.nat({ max: 3_000 }),
    }),
    { maxLength: 60, size: 'max' },
  );

  it('never promise more than the line carries soon, apart from one chunk for each host in need', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const origin = new Origin();
        for (const { host, wanted, count, urgent, takes, pauseMs } of taken) {
          const { chunks } = origin.ask(host, wanted, { count, urgent });
          expect(chunks.length).toBeLessThanOrEqual(count);
          expect(chunks.every((chunk) => wanted.includes(chunk))).toBe(true);
          expect(origin.outstanding()).toBeLessThanOrEqual(policy.aheadBytes + hosts.length * CHUNK_BYTES);
          for (const step of takes) for (const chunk of chunks) origin.took(step, chunk);
          origin.nowMs += pauseMs;
        }
      }),
    );
  });

  it('serve an urgent request within two of the longest leases, whatever happened before and happens meanwhile', () => {
    const meanwhile = fc.array(fc.constantFrom<OriginStep>('begun', 'broken-off', 'fetched'));
    fc.assert(
      fc.property(steps, meanwhile, fc.nat({ max: 7 }), (taken, laterSteps, chunk) => {
        const origin = new Origin();
        for (const { host, wanted, count, urgent, takes, pauseMs } of taken) {
          const { chunks } = origin.ask(host, wanted, { count, urgent });
          for (const step of takes) for (const granted of chunks) origin.took(step, granted);
          origin.nowMs += pauseMs;
        }
        const askedAtMs = origin.nowMs;
        const later = laterSteps.values();
        for (;;) {
          const { chunks, retryAfterMs } = origin.ask('in need', [chunk], { urgent: true });
          if (chunks.length > 0) break;
          origin.nowMs += retryAfterMs;
          const { value: step } = later.next();
          if (step) origin.took(step, chunk);
        }
        const bound = 2 * policy.maxLeaseMs + policy.elsewhereRetryMs;
        expect(origin.nowMs - askedAtMs).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it('send each chunk once where everybody fetches what it was granted and shares it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...hosts), { minLength: 40, maxLength: 80 }), (order) => {
        const origin = new Origin();
        let sent = 0;
        for (const host of order) {
          const { chunks } = origin.ask(host, CHUNKS);
          sent += chunks.length;
          for (const chunk of chunks) origin.fetched(chunk);
          origin.nowMs += 1_000;
        }
        expect(sent).toBe(CHUNKS.length);
      }),
    );
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SwarmAnnounce, SwarmAnnounceAnswer } from '@gleaner/protocol';
import { OwnRecord } from './own-record.js';
import { PeerDirectory } from './peer-directory.js';
import { SharedFile } from './shared-file.js';
import { anAuthority, location, manifest, MemoryNetwork, NodeFarm } from './swarm-node.fixture.js';
import { TrackerTalk, type TrackerTalkInit } from './tracker-talk.js';

const WEEK_MS = 7 * 24 * 3600 * 1000;
const SERIAL = 'ab'.repeat(12);

let farm: NodeFarm;
beforeEach(async () => {
  farm = await NodeFarm.make();
});
afterEach(() => farm[Symbol.asyncDispose]());

describe('TrackerTalk', () => {
  /** Announces until the tracker has given all its answers; what it was told with each. */
  async function talk(answers: SwarmAnnounceAnswer[], init: Partial<TrackerTalkInit> = {}) {
    const authority = anAuthority();
    const host = await farm.start(authority, { openTransport: new MemoryNetwork().open });
    const told: SwarmAnnounce[] = [];
    const done = new AbortController();
    const tracker = new TrackerTalk({
      ownRecord: new OwnRecord({
        identity: host.identity,
        certificate: () => host.certificate,
        addresses: () => [],
        lastSeq: 0,
      }),
      bannedPeers: () => [],
      coordinator: {
        announce: (announce) => {
          told.push(announce);
          const answer = answers[told.length - 1];
          if (answer) return Promise.resolve(answer);
          done.abort();
          return Promise.reject(new Error('no more to say'));
        },
        requestOriginTickets: () => Promise.reject(new Error('not asked for')),
        fetchChunk: () => Promise.reject(new Error('not asked for')),
      },
      directory: new PeerDirectory(authority.trust, host.identity.peerId, () => undefined),
      now: Date.now,
      warn: () => undefined,
      ...init,
    });
    const shared = new SharedFile({ location, manifest, ticket: host.ticket, data: host.data });
    await tracker.keepAnnouncing(shared, done.signal);
    return { tracker, seen: told.map(({ revocationsSeen }) => revocationsSeen) };
  }

  const answer = (revocations: number, revoked: string[] = []) => ({
    peers: [],
    intervalMs: 1,
    revoked,
    revocations,
  });

  it('asks for what was revoked since, and never again for what it has heard', async () => {
    const { tracker, seen } = await talk([answer(50, [SERIAL]), answer(20), answer(60)]);
    expect(seen).toEqual([0, 50, 50, 60]);
    expect(tracker.isRevoked(SERIAL)).toBe(true);
  });

  it('knows from an earlier run who was revoked, for as long as a certificate may count', async () => {
    let nowMs = Date.now();
    const now = () => nowMs;
    const before = (await talk([answer(50, [SERIAL])], { now })).tracker;
    const { revoked, revocationsSeen } = before;
    const { tracker, seen } = await talk([], { now, revoked, revocationsSeen });
    expect(seen).toEqual([50]);
    expect(tracker.isRevoked(SERIAL)).toBe(true);
    nowMs += WEEK_MS;
    expect(tracker.isRevoked(SERIAL)).toBe(true);
    nowMs += WEEK_MS;
    expect(tracker.isRevoked(SERIAL)).toBe(false);
    expect(tracker.revoked).toEqual([]);
  });
});

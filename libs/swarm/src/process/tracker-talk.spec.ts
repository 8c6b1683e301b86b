import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SwarmAnnounce, SwarmAnnounceAnswer } from '@gleaner/protocol';
import { OwnRecord } from './own-record.js';
import { PeerDirectory } from './peer-directory.js';
import { SharedFile } from './shared-file.js';
import { anAuthority, location, manifest, MemoryNetwork, NodeFarm } from './swarm-node.fixture.js';
import { CoordinatorRefusedError } from './swarm-coordinator.js';
import { TrackerTalk, type TrackerTalkInit } from './tracker-talk.js';

const WEEK_MS = 7 * 24 * 3600 * 1000;
const SERIAL = 'ab'.repeat(12);

let farm: NodeFarm;
beforeEach(async () => {
  farm = await NodeFarm.make();
});
afterEach(() => farm[Symbol.asyncDispose]());

describe('TrackerTalk', () => {
  async function aTalker(init: Partial<TrackerTalkInit> & Pick<TrackerTalkInit, 'coordinator'>) {
    const authority = anAuthority();
    const host = await farm.start(authority, { openTransport: new MemoryNetwork().open });
    const talker = new TrackerTalk({
      ownRecord: new OwnRecord({
        identity: host.identity,
        certificate: () => host.certificate,
        addresses: () => [],
        lastSeq: 0,
      }),
      bannedPeers: () => [],
      directory: new PeerDirectory(authority.trust, host.identity.peerId, () => undefined),
      now: Date.now,
      warn: () => undefined,
      ...init,
    });
    const shared = new SharedFile({ location, manifest, ticket: host.ticket, data: host.data });
    return { talker, host, shared };
  }

  /** Announces until the tracker has given all its answers; what it was told with each. */
  async function talk(answers: Array<SwarmAnnounceAnswer | Error>, init: Partial<TrackerTalkInit> = {}) {
    const told: SwarmAnnounce[] = [];
    const done = new AbortController();
    const { talker, host, shared } = await aTalker({
      coordinator: {
        announce: (announce) => {
          told.push(announce);
          const answer = answers[told.length - 1];
          if (answer) return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
          done.abort();
          return Promise.reject(new Error('no more to say'));
        },
        requestOriginTickets: () => Promise.reject(new Error('not asked for')),
        fetchChunk: () => Promise.reject(new Error('not asked for')),
      },
      ...init,
    });
    await talker.keepAnnouncing(shared, done.signal);
    return { tracker: talker, seen: told.map(({ revocationsSeen }) => revocationsSeen), told, host };
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

  it('shows its ticket after a refusal: a coordinator that was started anew has forgotten who may have the file', async () => {
    const { told, host } = await talk([answer(0), new Error('refused'), answer(0)], {
      wait: () => Promise.resolve(),
    });
    expect(told.map(({ ticket }) => ticket)).toEqual([undefined, undefined, host.ticket, undefined]);
  });

  it('keeps its ticket to itself every other time: an older coordinator refuses words that it does not know', async () => {
    const { told, host } = await talk([new Error('away'), new Error('refused'), answer(0)], {
      wait: () => Promise.resolve(),
    });
    expect(told.map(({ ticket }) => ticket)).toEqual([undefined, host.ticket, undefined, undefined]);
  });

  it('asks a coordinator that is away ever more rarely, by chance not when others do, and says so once', async () => {
    const waits: number[] = [];
    const warned: string[] = [];
    const done = new AbortController();
    const { talker, shared } = await aTalker({
      coordinator: {
        announce: () => Promise.reject(new Error('nobody there')),
        requestOriginTickets: () => Promise.reject(new Error('not asked for')),
        fetchChunk: () => Promise.reject(new Error('not asked for')),
      },
      warn: (event) => void warned.push(event),
      random: () => waits.length % 2,
      wait: (ms) => {
        if (waits.push(ms) === 8) done.abort();
        return Promise.resolve();
      },
    });
    await talker.keepAnnouncing(shared, done.signal);
    expect(waits).toEqual([500, 2000, 2000, 8000, 8000, 30_000, 15_000, 30_000]);
    expect(warned).toEqual(['announce-failed']);
  });

  it('says nothing of a file that nobody needs any more, and all the same that the coordinator went away', async () => {
    const warned: unknown[] = [];
    const refused = new CoordinatorRefusedError('403');
    const away = new Error('nobody there');
    await talk([refused, refused, refused, away, refused, away, answer(0), away], {
      warn: (_event, error) => void warned.push(error),
      wait: () => Promise.resolve(),
    });
    expect(warned).toEqual([away, away]);
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

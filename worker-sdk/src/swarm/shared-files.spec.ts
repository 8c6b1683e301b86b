import type { SignedTicket } from '@gleaner/protocol';
import { createPeerIdentity } from '@gleaner/swarm/auth';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SwarmOffice } from './coordinator.fixture.js';
import { SharedFiles } from './shared-files.js';

const NEVER = new AbortController().signal;

let office: SwarmOffice;
beforeEach(async () => {
  office = await SwarmOffice.open();
});
afterEach(async () => {
  vi.useRealTimers();
  await office[Symbol.asyncDispose]();
});

const openAs = (peerId: string) => SharedFiles.open(office.client, peerId, office.directory);

function aLocation(at: number) {
  const manifestId = at.toString(16).padStart(64, '0');
  return {
    blobId: `sha256:${manifestId}`,
    manifestId,
    sizeBytes: 1000,
    manifestUrl: '/manifest',
    contentUrl: '/content',
  };
}

async function aTicket(files: SharedFiles, at: number): Promise<SignedTicket> {
  const ticket = await files.ticketFor(aLocation(at), NEVER);
  if (!ticket) throw new Error('no ticket');
  return ticket;
}

describe('SharedFiles', () => {
  it('need other tickets when the host has become another peer, and go on being shared', async () => {
    const [yesterday, today] = [createPeerIdentity().peerId, createPeerIdentity().peerId];
    const before = await openAs(yesterday);
    for (let at = 0; at < 40; at += 1) await before.add(aLocation(at), await aTicket(before, at));
    const after = await openAs(today);
    expect(after.all).toEqual([]);
    expect(after.outdated).toBe(40);
    for (let calls = 0; calls < 2; calls += 1) expect((await after.renew(NEVER)).ended).toEqual([]);
    expect(after.outdated).toBe(0);
    expect(after.all.map(({ ticket }) => ticket.body.peerId)).toEqual(Array(40).fill(today));
  });

  it('stay when others count on them, a few of them, while files of tasks make room for others', async () => {
    const { peerId } = createPeerIdentity();
    const files = await openAs(peerId);
    const add = async (at: number, isReplica: boolean) =>
      files.add(aLocation(at), await aTicket(files, at), { isReplica });
    for (let at = 0; at < 16; at += 1) await add(at, true);
    for (let at = 16; at < 60; at += 1) await add(at, false);
    const dropped: string[] = [];
    for (let at = 60; at < 63; at += 1) dropped.push(...(await add(at, false)));
    // One promise too many, and then the files that tasks have used longest ago.
    expect(dropped).toEqual([0, 16, 17].map((at) => aLocation(at).manifestId));
    const kept = (await openAs(peerId)).isPromised(aLocation(1).manifestId);
    expect([kept, files.isPromised(aLocation(0).manifestId)]).toEqual([true, false]);
  });

  it('are asked for again ten minutes after they were refused, though the clock was set back meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const files = await openAs(createPeerIdentity().peerId);
    office.refusesTickets = true;
    expect(await files.ticketFor(aLocation(1), NEVER)).toBeUndefined();
    office.refusesTickets = false;
    vi.setSystemTime(Date.now() - 7_200_000);
    expect(await files.ticketFor(aLocation(1), NEVER)).toBeUndefined();
    vi.advanceTimersByTime(600_000);
    const { manifestId } = aLocation(1);
    expect(await files.ticketFor(aLocation(1), NEVER)).toMatchObject({ body: { manifestId } });
  });

  it('remember a refusal no longer than it counts', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const files = await openAs(createPeerIdentity().peerId);
    office.refusesTickets = true;
    for (let at = 0; at < 50; at += 1) {
      expect(await files.ticketFor(aLocation(at), NEVER)).toBeUndefined();
      vi.advanceTimersByTime(60_000);
    }
    expect(files.refusals).toBe(10);
  });

  it('are promised also where a task has needed other chunks of them', async () => {
    const files = await openAs(createPeerIdentity().peerId);
    const ticket = await aTicket(files, 1);
    await files.add(aLocation(1), ticket);
    expect(files.isPromised(aLocation(1).manifestId)).toBe(false);
    await files.add(aLocation(1), ticket, { isReplica: true });
    await files.add(aLocation(1), ticket);
    expect(files.isPromised(aLocation(1).manifestId)).toBe(true);
    expect(files.replicas).toEqual([]);
  });
});

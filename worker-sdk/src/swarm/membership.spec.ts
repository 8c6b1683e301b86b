import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SwarmOffice } from './coordinator.fixture.js';
import { Membership } from './membership.js';

const DAY_MS = 24 * 3600 * 1000;
const NEVER = new AbortController().signal;

let office: SwarmOffice;
beforeEach(async () => {
  office = await SwarmOffice.open();
});
afterEach(() => office[Symbol.asyncDispose]());

const aMembership = () => Membership.open(office.client, office.directory, () => office.nowMs);

describe('Membership', () => {
  it('is the same peer for a day, over restarts', async () => {
    const before = await aMembership();
    expect(await before.renew(NEVER)).toBe(true);
    office.nowMs += DAY_MS - 1;
    const after = await aMembership();
    expect(await after.renew(NEVER)).toBe(false);
    expect(await after.change(NEVER)).toBe(false);
    expect(after.identity.peerId).toBe(before.identity.peerId);
    expect(after.current?.certificate).toEqual(before.current?.certificate);
  });

  it('is another peer the next day, and stays that one for a day', async () => {
    const yesterday = await aMembership();
    const { peerId } = yesterday.identity;
    await yesterday.renew(NEVER);
    office.nowMs += DAY_MS;
    expect(await yesterday.change(NEVER)).toBe(true);
    expect(yesterday.identity.peerId).not.toBe(peerId);
    expect(yesterday.current?.certificate.body.peerId).toBe(yesterday.identity.peerId);
    const today = await aMembership();
    expect(today.identity.peerId).toBe(yesterday.identity.peerId);
    expect(today.current).toEqual(yesterday.current);
    expect(await today.change(NEVER)).toBe(false);
    expect(office.certified).toEqual([peerId, today.identity.peerId]);
  });

  it('stays who it is while the coordinator is away, and does not ask every time', async () => {
    const membership = await aMembership();
    const { peerId } = membership.identity;
    await membership.renew(NEVER);
    office.nowMs += DAY_MS;
    office.isAway = true;
    await expect(membership.change(NEVER)).rejects.toThrow();
    expect(membership.identity.peerId).toBe(peerId);
    expect(membership.current?.certificate.body.peerId).toBe(peerId);
    office.isAway = false;
    expect(await membership.change(NEVER)).toBe(false);
    office.nowMs += 600_000;
    expect(await membership.change(NEVER)).toBe(true);
  });

  it('tries again in time where the clock was set back since it tried', async () => {
    const membership = await aMembership();
    await membership.renew(NEVER);
    office.nowMs += 2 * DAY_MS;
    office.isAway = true;
    await expect(membership.change(NEVER)).rejects.toThrow();
    office.isAway = false;
    office.nowMs -= 7_200_000;
    expect(await membership.change(NEVER)).toBe(true);
  });

  it('asks for the same peer again when the answer was lost, and for another the day after', async () => {
    const membership = await aMembership();
    await membership.renew(NEVER);
    office.nowMs += DAY_MS;
    office.areAnswersLost = true;
    await expect(membership.change(NEVER)).rejects.toThrow();
    office.areAnswersLost = false;
    office.nowMs += 600_000;
    expect(await membership.change(NEVER)).toBe(true);
    const { peerId } = membership.identity;
    expect(office.certified.slice(1)).toEqual([peerId, peerId]);
    office.nowMs += DAY_MS;
    expect(await membership.change(NEVER)).toBe(true);
    expect(membership.identity.peerId).not.toBe(peerId);
  });
});

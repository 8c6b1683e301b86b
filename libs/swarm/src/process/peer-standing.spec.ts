import { describe, expect, it } from 'vitest';
import { PeerStanding } from './peer-standing.js';

describe('PeerStanding', () => {
  it('bans a host with whatever peer id it comes again', () => {
    const standing = new PeerStanding(() => 0);
    standing.ban('peer-1', 'host-a');
    expect(standing.isWelcome('peer-1')).toBe(false);
    expect(standing.isWelcome('peer-2', 'host-a')).toBe(false);
    expect(standing.isWelcome('peer-2', 'host-b')).toBe(true);
  });

  it('forgets the oldest ban rather than the newest', () => {
    const standing = new PeerStanding(() => 0);
    for (let index = 0; index <= 2000; index += 1) standing.ban(`peer-${index}`, undefined);
    expect(standing.isWelcome('peer-0')).toBe(true);
    expect(standing.isWelcome('peer-2000')).toBe(false);
    expect(standing.bannedPeers).toHaveLength(1000);
  });

  it('is handed on to the next run, and ends with the certificates of the day', () => {
    let todayMs = Date.parse('2026-11-21T00:00:00Z');
    const before = new PeerStanding(
      () => 0,
      [],
      () => todayMs,
    );
    before.ban('peer', 'host');
    const after = new PeerStanding(
      () => 0,
      before.bans,
      () => todayMs,
    );
    expect([after.isWelcome('peer'), after.isWelcome('other', 'host')]).toEqual([false, false]);
    // Whom an earlier run has caught, that run has told of.
    expect(after.bannedPeers).toEqual([]);
    todayMs += 7 * 24 * 3600 * 1000;
    expect([after.isWelcome('peer'), after.isWelcome('other', 'host')]).toEqual([true, true]);
  });

  it('keeps a peer that broke the rules away for a while, and longer when it does so again', () => {
    let nowMs = 0;
    const standing = new PeerStanding(() => nowMs);
    standing.cool('peer', 'host');
    expect(standing.isWelcome('other', 'host')).toBe(false);
    nowMs = 30_000;
    expect(standing.isWelcome('peer', 'host')).toBe(true);
    standing.cool('peer', 'host');
    nowMs = 89_999;
    expect(standing.isWelcome('peer')).toBe(false);
    nowMs = 90_000;
    expect(standing.isWelcome('peer')).toBe(true);
    expect(standing.bannedPeers).toEqual([]);
  });
});

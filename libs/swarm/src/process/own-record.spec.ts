import { describe, expect, it } from 'vitest';
import { judgePeerRecord, encodePeerRecord } from '../auth/index.js';
import { TestCoordinator } from '../auth/trust.fixture.js';
import { OwnRecord } from './own-record.js';

describe('OwnRecord', () => {
  const authority = new TestCoordinator();
  const { identity, certificate } = authority.enrol();

  it('is made anew when the addresses change, with a number that grows although the clock was set back', () => {
    let addresses = ['/ip4/192.0.2.1/tcp/1'];
    let nowMs = 5_000;
    const own = new OwnRecord({
      identity,
      certificate: () => certificate,
      addresses: () => addresses,
      lastSeq: 0,
      now: () => nowMs,
    });
    const first = own.current;
    nowMs = 6_000;
    expect(own.current).toBe(first);
    nowMs = 1_000;
    addresses = ['/ip4/192.0.2.2/tcp/1'];
    const second = own.current;
    expect([first.record.body.seq, second.record.body.seq]).toEqual([5_000, 5_001]);
    expect(judgePeerRecord(encodePeerRecord(second), authority.trust)?.addresses).toEqual(addresses);
  });

  it('leaves out what is no address that anybody would dial, as where a proxy names a port beside the one that it saw', () => {
    const good = '/ip4/192.0.2.1/tcp/4001';
    const addresses = () => [good, '/ip6/192.0.2.1:5678/tcp/4001', '/ip4/unknown/tcp/4001'];
    const own = new OwnRecord({ identity, certificate: () => certificate, addresses, lastSeq: 0 });
    expect(own.current.record.body.addresses).toEqual([good]);
  });

  it('goes on from the number of an earlier run', () => {
    const facts = { identity, certificate: () => certificate, addresses: () => [], now: () => 1_000 };
    const before = new OwnRecord({ ...facts, lastSeq: 70_000 });
    expect(before.current.record.body.seq).toBe(70_001);
    expect(new OwnRecord({ ...facts, lastSeq: before.seq }).current.record.body.seq).toBe(70_002);
  });
});

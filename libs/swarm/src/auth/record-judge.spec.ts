import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RecordJudge } from './record-judge.js';
import { createPeerRecord, encodePeerRecord, type TrustRoot } from './signed.js';
import { TestCoordinator } from './trust.fixture.js';

function aJudge(most = 10) {
  const coordinator = new TestCoordinator();
  const { trust: original } = coordinator;
  let verified = 0;
  const trust: TrustRoot = {
    isRevoked: original.isRevoked,
    now: original.now,
    get coordinatorKey(): KeyObject {
      verified += 1;
      return original.coordinatorKey;
    },
  };
  const judge = new RecordJudge(trust, most);
  const aRecord = () => {
    const { identity, certificate } = coordinator.enrol();
    const record = createPeerRecord(identity, certificate, ['/ip4/192.0.2.1/tcp/1'], 1);
    return { peerId: identity.peerId, certificate, record, bytes: encodePeerRecord(record) };
  };
  return { coordinator, judge, aRecord, verified: () => verified };
}

describe('a judge of records', () => {
  it('verifies the same bytes once', () => {
    const { judge, aRecord, verified } = aJudge();
    const { bytes, peerId } = aRecord();
    for (let times = 0; times < 3; times += 1) expect(judge.judge(bytes.slice())?.peerId).toBe(peerId);
    expect(verified()).toBe(1);
  });

  it('takes no other bytes for genuine ones, whatever they have in common', () => {
    const { judge, aRecord } = aJudge();
    const { record, bytes, peerId } = aRecord();
    expect(judge.judge(bytes)?.peerId).toBe(peerId);
    const moved = { ...record.record.body, addresses: ['/ip4/198.51.100.1/tcp/1'] };
    const forged = encodePeerRecord({ ...record, record: { ...record.record, body: moved } });
    for (let times = 0; times < 2; times += 1) expect(judge.judge(forged)).toBeUndefined();
  });

  it('takes a record for nothing once its certificate was revoked or has ended', () => {
    const { coordinator, judge, aRecord } = aJudge();
    const [revoked, ended] = [aRecord(), aRecord()];
    for (const { bytes, peerId } of [revoked, ended]) expect(judge.judge(bytes)?.peerId).toBe(peerId);
    coordinator.revoked.add(revoked.certificate.body.serial);
    expect(judge.judge(revoked.bytes)).toBeUndefined();
    coordinator.nowMs = (ended.certificate.body.exp + 1) * 1000;
    expect(judge.judge(ended.bytes)).toBeUndefined();
  });

  it('remembers so many, and those that were named last', () => {
    const { judge, aRecord, verified } = aJudge(2);
    const [a, b, c] = [aRecord(), aRecord(), aRecord()];
    for (const { bytes } of [a, b, a, c, a]) judge.judge(bytes);
    expect(verified()).toBe(3);
    judge.judge(b.bytes);
    expect(verified()).toBe(4);
  });
});

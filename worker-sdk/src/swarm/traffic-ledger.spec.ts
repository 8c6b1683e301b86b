import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrafficLedger } from './traffic-ledger.js';

const MANIFEST = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);

let directory: string;
let now: Date;
let ledger: TrafficLedger;
const open = (): Promise<TrafficLedger> => TrafficLedger.open(directory, () => now);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-traffic-'));
  now = new Date(2026, 10, 30, 23, 59);
  ledger = await open();
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function aFile(moved: { fromPeersBytes?: number; toPeersBytes?: number }) {
  return [{ manifestId: MANIFEST, fromPeersBytes: 0, fromOriginBytes: 0, toPeersBytes: 0, ...moved }];
}

describe('the ledger of what moved', () => {
  it('counts to the monthly cap all that peers sent and were sent, of use or not, and not the origin', () => {
    ledger.add(MANIFEST, 'fromOriginBytes', 100);
    ledger.follow({ files: aFile({ fromPeersBytes: 5, toPeersBytes: 7 }), exchangedBytes: 32 });
    expect(ledger.current).toEqual({
      fromPeersBytes: 5,
      toPeersBytes: 7,
      fromOriginBytes: 100,
      monthBytes: 32,
    });
  });

  it('begins each month of the volunteer’s clock anew, and keeps the totals', () => {
    ledger.follow({ files: aFile({ toPeersBytes: 7 }), exchangedBytes: 7 });
    now = new Date(2026, 11, 1);
    expect(ledger.current).toMatchObject({ monthBytes: 0, toPeersBytes: 7 });
    ledger.follow({ files: aFile({ toPeersBytes: 8 }), exchangedBytes: 8 });
    expect(ledger.current).toMatchObject({ monthBytes: 1, toPeersBytes: 8 });
  });

  it('survives a restart within its month', async () => {
    ledger.follow({ files: aFile({ fromPeersBytes: 5 }), exchangedBytes: 5 });
    await ledger.save();
    expect((await open()).current).toMatchObject({ monthBytes: 5, fromPeersBytes: 5 });
    now = new Date(2027, 0, 1);
    expect((await open()).current).toMatchObject({ monthBytes: 0, fromPeersBytes: 5 });
  });

  it('is saved at once where a crash would forget much', async () => {
    ledger.follow({ files: [], exchangedBytes: 9_999_999 });
    await ledger.saveIfMuch();
    expect((await open()).current.monthBytes).toBe(0);
    ledger.follow({ files: [], exchangedBytes: 10_000_000 });
    await ledger.saveIfMuch();
    expect((await open()).current.monthBytes).toBe(10_000_000);
  });

  it('begins anew where its file is damaged', async () => {
    await writeFile(join(directory, 'traffic.json'), '{"v":1,"month');
    expect((await open()).current.monthBytes).toBe(0);
  });

  it('takes what a process says as totals since that process started', () => {
    const said = (bytes: number) => ({ files: aFile({ fromPeersBytes: bytes }), exchangedBytes: bytes });
    ledger.follow(said(10));
    ledger.follow(said(15));
    ledger.forgetProcess();
    ledger.follow(said(4));
    expect(ledger.current).toMatchObject({ fromPeersBytes: 19, monthBytes: 19 });
  });

  it('counts a file from nothing that the process tells of again after it told of others alone', () => {
    ledger.follow({ files: aFile({ fromPeersBytes: 10 }), exchangedBytes: 10 });
    ledger.follow({ files: [], exchangedBytes: 10 });
    ledger.follow({ files: aFile({ fromPeersBytes: 4 }), exchangedBytes: 14 });
    expect(ledger.current.fromPeersBytes).toBe(14);
  });

  it('reports once what the coordinator has taken, and again what it has not', () => {
    ledger.add(MANIFEST, 'fromPeersBytes', 5);
    const first = ledger.report('peer');
    ledger.add(MANIFEST, 'fromPeersBytes', 2);
    ledger.add(OTHER, 'toPeersBytes', 1);
    expect(first?.files).toMatchObject([{ manifestId: MANIFEST, fromPeersBytes: 5 }]);
    if (first) ledger.reported(first);
    expect(ledger.report('peer')?.files).toMatchObject([
      { manifestId: MANIFEST, fromPeersBytes: 2 },
      { manifestId: OTHER, toPeersBytes: 1 },
    ]);
  });

  it('numbers its reports upwards although the clock is set back, over a restart as well', async () => {
    ledger.add(MANIFEST, 'fromPeersBytes', 5);
    const first = ledger.report('peer');
    now = new Date(2020, 0, 1);
    const second = ledger.report('peer');
    expect(second?.seq).toBeGreaterThan(first?.seq ?? Number.POSITIVE_INFINITY);
    await ledger.save();
    const later = await open();
    later.add(MANIFEST, 'fromPeersBytes', 5);
    expect(later.report('peer')?.seq).toBeGreaterThan(second?.seq ?? Number.POSITIVE_INFINITY);
  });
});

import { describe, expect, it } from 'vitest';
import type { Frame } from '../frames/frame.js';
import { CHUNK_BYTES, CHUNKS, FILE, LoneHost, TICKET } from './lone-host.fixture.js';

const everything = Array.from({ length: CHUNKS }, (_, index) => index);
const block = (chunk: number, offset: number, length: number): Frame => ({
  type: 'block',
  channel: 0,
  chunk,
  offset,
  bytes: new Uint8Array(length),
});

describe('an engine among hostile peers', () => {
  it('takes what is left of a chunk that it gave up, and not a byte more', () => {
    const host = new LoneHost([]);
    host.meet('peer', [7]);
    host.hear('peer', { type: 'slot', granted: true });
    host.tell({ kind: 'wanted', manifestId: FILE, chunks: [7] });
    expect(host.sent('peer', 'request')).toHaveLength(1);
    host.tell({ kind: 'origin-fetched', manifestId: FILE, chunk: 7, isStored: true });
    expect(host.sent('peer', 'cancel')).toHaveLength(1);
    for (let offset = 0; offset < CHUNK_BYTES; offset += 65_536) host.hear('peer', block(7, offset, 65_536));
    expect(host.reasonsToLeave('peer')).toEqual([]);
    host.hear('peer', block(7, 0, 1));
    expect(host.reasonsToLeave('peer')).toEqual(['unsolicited-data']);
  });

  it('leaves a peer that sends blocks of a file it never opened', () => {
    const host = new LoneHost([]);
    host.meet('peer');
    host.hear('peer', { ...block(0, 0, 1), channel: 9 } as Frame);
    expect(host.reasonsToLeave('peer')).toEqual(['unsolicited-data']);
  });

  it('serves others while one peer does not read, and leaves that one in the end', () => {
    // Fast enough for one transfer at a time.
    const host = new LoneHost(everything, { uploadBytesPerSecond: 200_000, sendQueueBytes: 65_536 });
    for (const peer of ['stuck', 'reader']) {
      host.meet(peer);
      host.hear(peer, { type: 'interest', channel: 0, wanted: true });
    }
    host.pass(5000);
    for (const peer of ['stuck', 'reader']) {
      host.hear(
        peer,
        ...everything.slice(0, 4).map((chunk): Frame => ({ type: 'request', channel: 0, chunk })),
      );
    }
    for (let round = 0; round < 400; round += 1) {
      const before = host.uploadedBytes('reader');
      host.pass(100);
      const bytes = host.uploadedBytes('reader') - before;
      if (bytes > 0) host.tell({ kind: 'flushed', peer: 'reader', bytes });
    }
    expect(host.uploadedBytes('stuck')).toBe(65_536);
    expect(host.uploadedBytes('reader')).toBe(4 * CHUNK_BYTES);
    expect(host.reasonsToLeave('stuck')).toContain('too-slow');
    expect(host.reasonsToLeave('reader')).toEqual([]);
  });

  it('takes slots back from those who never use them when others wait', () => {
    const host = new LoneHost(everything);
    const squatters = ['a', 'b', 'c', 'd', 'e'];
    for (const peer of squatters) {
      host.meet(peer);
      host.hear(peer, { type: 'interest', channel: 0, wanted: true });
    }
    host.pass(1000);
    host.meet('honest');
    host.hear('honest', { type: 'interest', channel: 0, wanted: true });
    host.pass(7000);
    expect(host.sent('honest', 'slot').at(-1)).toEqual({ type: 'slot', granted: true });
    const holders = squatters.filter((peer) => host.sent(peer, 'slot').at(-1)?.granted);
    expect(holders).toEqual([]);
  });

  it('judges a ticket once, however often it is shown', () => {
    const host = new LoneHost([]);
    host.meet('peer');
    const open: Frame = { type: 'open', channel: 0, manifestId: FILE, ticket: TICKET };
    host.hear('peer', open, open, open);
    expect(host.judged).toBe(1);
    host.hear('peer', { ...open, ticket: Uint8Array.of(2) });
    expect(host.judged).toBe(2);
  });

  it('leaves a peer that keeps it busy with new tickets', () => {
    const host = new LoneHost([]);
    host.meet('peer');
    for (let index = 0; index < 500; index += 1) {
      host.hear('peer', {
        type: 'open',
        channel: 0,
        manifestId: FILE,
        ticket: Uint8Array.of(index >> 8, index),
      });
    }
    expect(host.reasonsToLeave('peer')).toContain('request-flood');
  });
});

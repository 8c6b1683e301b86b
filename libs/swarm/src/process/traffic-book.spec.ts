import { describe, expect, it } from 'vitest';
import { TOLD_FILES_MAX, TrafficBook } from './traffic-book.js';

const manifestId = (at: number): string => at.toString(16).padStart(64, '0');

describe('the book of what moved', () => {
  it('tells of the files that moved last, however many there were, and of all that moved in all', () => {
    const book = new TrafficBook();
    for (let at = 0; at < 1000; at += 1) {
      book.add(manifestId(at), 'fromOriginBytes', 10);
      book.add(manifestId(0), 'toPeersBytes', 1);
    }
    const told = book.files();
    expect(told).toHaveLength(TOLD_FILES_MAX);
    expect(told.at(-1)).toMatchObject({ manifestId: manifestId(0), fromOriginBytes: 10, toPeersBytes: 1000 });
    expect(told.at(-2)).toMatchObject({ manifestId: manifestId(999), fromOriginBytes: 10 });
    expect([book.totalBytes('fromOriginBytes'), book.totalBytes('toPeersBytes')]).toEqual([10_000, 1000]);
  });
});

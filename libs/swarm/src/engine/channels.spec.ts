import { describe, expect, it } from 'vitest';
import { CHUNKS, FILE, LoneHost } from './lone-host.fixture.js';

const everything = Array.from({ length: CHUNKS }, (_, index) => index);

describe('what a host says it has', () => {
  /** A host that serves `served` and has met `other` too; then two chunks come. */
  function aHostThatGetsChunks(): LoneHost {
    const host = new LoneHost([0], { uploadSlots: 1, optimisticSlots: 0 });
    host.meet('served');
    host.hear('served', { type: 'interest', channel: 0, wanted: true });
    host.meet('other');
    expect(host.sent('served', 'slot')).toEqual([{ type: 'slot', granted: true }]);
    for (const chunk of [1, 2])
      host.tell({ kind: 'origin-fetched', manifestId: FILE, chunk, isStored: true });
    return host;
  }
  const chunksTold = (host: LoneHost, peer: string) => host.sent(peer, 'have').map(({ chunk }) => chunk);

  it('is told at once to who can ask for it, and together with the rest to others', () => {
    const host = aHostThatGetsChunks();
    expect([chunksTold(host, 'served'), chunksTold(host, 'other')]).toEqual([[1, 2], []]);
    host.pass(100);
    expect([chunksTold(host, 'served'), chunksTold(host, 'other')]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    host.pass(1000);
    expect(chunksTold(host, 'other')).toEqual([1, 2]);
  });

  it('is not told of what is gone by then, nor of what the other has got elsewhere', () => {
    const host = aHostThatGetsChunks();
    host.tell({ kind: 'chunk-lost', manifestId: FILE, chunk: 1 });
    host.hear('other', { type: 'have', channel: 0, chunk: 2 });
    host.pass(1000);
    expect(chunksTold(host, 'other')).toEqual([]);
  });

  it('is not told to a peer that has everything', () => {
    const host = new LoneHost([]);
    host.meet('seed', everything);
    host.tell({ kind: 'origin-fetched', manifestId: FILE, chunk: 7, isStored: true });
    host.pass(1000);
    expect(chunksTold(host, 'seed')).toEqual([]);
  });
});

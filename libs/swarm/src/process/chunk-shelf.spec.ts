import { afterEach, beforeEach, expect, it } from 'vitest';
import { ChunkShelf } from './chunk-shelf.js';
import { SharedFile } from './shared-file.js';
import {
  anAuthority,
  CHUNK_BYTES,
  location,
  manifest,
  MemoryNetwork,
  NodeFarm,
  pieces,
} from './swarm-node.fixture.js';

let farm: NodeFarm;
beforeEach(async () => {
  farm = await NodeFarm.make();
});
afterEach(() => farm[Symbol.asyncDispose]());

it('keeps of what arrived the chunk alone, not all that was read with it', async () => {
  const { ticket, data } = await farm.start(anAuthority(), { openTransport: new MemoryNetwork().open });
  const shared = new SharedFile({ location, manifest, ticket, data });
  const shelf = new ChunkShelf(() => undefined);
  const readAtOnce = new Uint8Array(20 * CHUNK_BYTES);
  readAtOnce.set(pieces[0] ?? [], 100);
  await shelf.store(shared, 0, readAtOnce.subarray(100, 100 + CHUNK_BYTES));
  const kept = await shelf.read(shared, 0, false);
  expect(kept).toEqual(pieces[0]);
  expect(kept.buffer.byteLength).toBe(CHUNK_BYTES);
});

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { whileThereIsRoom } from './room-check.js';

/** Pieces of ten bytes. */
function pieces(count: number): Readable {
  return Readable.from(Array.from({ length: count }, (_, at) => Buffer.alloc(10, String(at % 10))));
}

/** How many bytes came through, whatever becomes of the rest. */
async function passed(check: ReturnType<typeof whileThereIsRoom>, count: number): Promise<number> {
  let bytes = 0;
  await pipeline(pieces(count), check, async (parts: AsyncIterable<Buffer>) => {
    for await (const part of parts) bytes += part.length;
  }).catch((error: unknown) => {
    if (!(error instanceof RangeError)) throw error;
  });
  return bytes;
}

it('content passes whole, and the room is looked at before the first byte and as often as asked', async () => {
  let looks = 0;
  const check = whileThereIsRoom(() => {
    looks += 1;
    return Promise.resolve();
  }, 30);
  expect(await passed(check, 10)).toBe(100);
  expect(looks).toBe(4);
});

it('content that the room ends under is stopped there', async () => {
  let roomFor = 2;
  const check = whileThereIsRoom(() => {
    roomFor -= 1;
    return roomFor > 0 ? Promise.resolve() : Promise.reject(new RangeError('no room'));
  }, 30);
  expect(await passed(check, 10)).toBe(30);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvents, type ServerEvent } from './event-stream.js';

async function eventsOf(pieces: readonly Uint8Array[]): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield await Promise.resolve(piece);
  }
  for await (const event of readEvents(body())) events.push(event);
  return events;
}

describe('an event stream', () => {
  const text =
    'id: 7\nevent: job\ndata: {"name":"Näcken"}\n\n: still here\n\nevent: end\r\ndata: a\r\ndata: b\r\n\r\nid: 8\n';

  it('is the same events wherever the network cuts it', async () => {
    const bytes = new TextEncoder().encode(text);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
        const ends = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = ends.slice(1).map((end, at) => bytes.subarray(ends[at], end));
        expect(await eventsOf(pieces)).toEqual([
          { id: '7', event: 'job', data: '{"name":"Näcken"}' },
          { id: '', event: 'end', data: 'a\nb' },
        ]);
      }),
    );
  });

  it('is given up when an event does not end', async () => {
    const piece = new Uint8Array(1024 * 1024).fill(97);
    await expect(eventsOf(Array.from({ length: 6 }, () => piece))).rejects.toThrow(
      /more than \d+ characters/,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { Bitmap } from './bitmap.js';
import { SwapEngine } from './swap-engine.js';
import type { SwapAction } from './swap-events.js';

const MB = 1024 * 1024;

describe('the plan for the origin', () => {
  it('keeps what is on its way of all files together within its memory, and goes on as it comes', () => {
    const engine = new SwapEngine({
      authorize: () => undefined,
      random: () => 0.5,
      nowMs: 0,
      config: { maxOriginBytes: 32 * MB },
    });
    const asked: string[] = [];
    const tell = (event: Parameters<SwapEngine['handle']>[0], nowMs: number): void => {
      for (const action of engine.handle(event, nowMs)) note(action);
    };
    const note = (action: SwapAction): void => {
      if (action.kind === 'origin-ask') asked.push(action.manifestId);
    };
    const files = Array.from({ length: 60 }, (_, index) => index.toString(16).padStart(64, '0'));
    for (const manifestId of files) {
      const file = { manifestId, sizeBytes: 16 * MB, chunkBytes: 4 * MB, chunkCount: 4, have: new Bitmap(4) };
      tell({ kind: 'file-added', file: { ...file, ticket: new Uint8Array(1) } }, 0);
      tell({ kind: 'wanted', manifestId, chunks: [0, 1, 2, 3] }, 0);
    }
    // Two chunks of 4 MiB each.
    expect(asked).toEqual(files.slice(0, 4));
    for (const manifestId of asked.splice(0)) {
      tell({ kind: 'origin-granted', manifestId, chunks: [0, 1], otherwise: 'busy', retryAfterMs: 100 }, 10);
    }
    tell({ kind: 'tick' }, 100);
    expect(asked).toEqual([]);
    for (const chunk of [0, 1]) {
      const manifestId = files[0] ?? '';
      tell({ kind: 'origin-fetched', manifestId, chunk, isStored: true }, 200);
    }
    tell({ kind: 'tick' }, 300);
    expect(asked).toHaveLength(1);
  });
});

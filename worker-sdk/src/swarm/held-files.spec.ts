import { workRequest } from '@gleaner/protocol';
import { Bitmap } from '@gleaner/swarm/engine';
import { describe, expect, it } from 'vitest';
import { heldFiles } from './held-files.js';

const idOf = (file: number): string => file.toString(16).padStart(64, '0');

describe('heldFiles', () => {
  it('names the runs of chunks that the store has', () => {
    const store = { manifestIds: [idOf(1)], have: () => Bitmap.of(8, [0, 1, 5]) };
    expect(heldFiles(store)).toEqual([
      {
        manifestId: idOf(1),
        runs: [
          { from: 0, to: 2 },
          { from: 5, to: 6 },
        ],
      },
    ]);
  });

  it('says no more than a work request may hold, of any number of files in any state', () => {
    const manifestIds = Array.from({ length: 200 }, (_, file) => idOf(file));
    const everySecond = Array.from({ length: 4096 }, (_, chunk) => chunk * 2);
    const held = heldFiles({ manifestIds, have: () => Bitmap.of(8192, everySecond) });
    const request = { maxTasks: 1, memoryMiB: 1, held };
    expect(() => workRequest.parse({ protocol: 1, runtimeVersions: ['x'], request })).not.toThrow();
    expect(held.map(({ manifestId }) => manifestId)).toEqual(manifestIds.slice(0, 64));
  });
});

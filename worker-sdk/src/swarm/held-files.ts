import { runsOf } from '@gleaner/domain';
import { SWARM_LIMITS, type HeldFile } from '@gleaner/protocol';
import type { ChunkStore } from '@gleaner/swarm/store';

/** What a work request says of the chunks that the host holds: the files that were used last, the longest runs of each. */
export function heldFiles(store: Pick<ChunkStore, 'manifestIds' | 'have'>): HeldFile[] {
  return store.manifestIds.slice(0, SWARM_LIMITS.heldFiles).flatMap((manifestId) => {
    const have = store.have(manifestId);
    return have ? [{ manifestId, runs: runsOf(have.bytes, have.count, SWARM_LIMITS.heldRuns) }] : [];
  });
}

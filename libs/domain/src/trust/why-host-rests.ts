import type { HostWishes } from '@gleaner/protocol';
import type { NoWorkCause } from './no-work.js';

/**
 * Why a host gets no work, whatever there is: it is held, or its owner wishes so from afar. Null: it may have some. Who sits at the
 * machine has the last word about what was wished of it so far: the agent names the version of the wishes that were overruled there.
 */
export function whyHostRests(
  host: {
    readonly heldReason: string | null;
    /** Null: nothing was ever wished of it. */
    readonly wishes: Pick<HostWishes, 'run' | 'version'> | null;
  },
  overrulesWishes: number | undefined,
): NoWorkCause | null {
  const { heldReason, wishes } = host;
  if (heldReason !== null) return { code: 'host-held', reason: heldReason };
  if (wishes === null || wishes.run === 'run' || wishes.version === overrulesWishes) return null;
  return { code: 'owner-paused', run: wishes.run };
}

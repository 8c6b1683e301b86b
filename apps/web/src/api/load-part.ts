import { getStats } from '@gleaner/client';
import { isAway } from './problem-error';
import { reportReachable, reportUnreachable } from './reachability';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 10_000;
/** Hours, as for everything else that is asked of a coordinator that is away. */
const TRIES_MAX = 1_000;

/**
 * Loads a part of the site that comes when it is needed. While the coordinator is away it is tried again, and what is shown
 * stays: to load the whole page anew, as the router would, loses it, and with it what this tab computes.
 *
 * @throws what the import did, where the coordinator is there: the site has another version by now
 */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  for (let tries = 1, waitMs = FIRST_WAIT_MS; ; tries += 1, waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
    try {
      const part = await load();
      if (tries > 1) reportReachable();
      return part;
    } catch {
      // Once more: it may have come back in between.
      if (tries >= TRIES_MAX || (await isCoordinatorThere())) return await load();
    }
    reportUnreachable();
    await new Promise((resolve) => {
      setTimeout(resolve, waitMs);
    });
  }
}

async function isCoordinatorThere(): Promise<boolean> {
  try {
    await getStats({ throwOnError: true });
    return true;
  } catch (error) {
    return error instanceof Error && !isAway(error);
  }
}

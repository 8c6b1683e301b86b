import type { PublicJobView } from '@gleaner/client';
import { estimateRemaining, type Remaining } from '../ui/estimate-remaining';

interface Seen {
  readonly job: {
    readonly createdAt: string;
    readonly units: Pick<PublicJobView['job']['units'], 'open' | 'awaitingOutput'>;
  };
  readonly picture: Pick<PublicJobView['picture'], 'settledLately' | 'windowSeconds'>;
}

export interface Pace {
  readonly unitsPerMinute: number;
  /** null where there is no telling yet. */
  readonly remaining: Remaining | null;
}

/**
 * How fast a job's units are settled of late, and how long the open ones take at that pace.
 *
 * @param nowMs by the coordinator's clock, as the job's times are
 */
export function paceOf({ job, picture }: Seen, nowMs: number): Pace {
  const ageSeconds = (nowMs - Date.parse(job.createdAt)) / 1000;
  // Early in a job the window is longer than the job is old.
  const windowSeconds = Math.max(1, Math.min(picture.windowSeconds, ageSeconds));
  return {
    unitsPerMinute: (60 * picture.settledLately) / windowSeconds,
    remaining: estimateRemaining(
      job.units.open + job.units.awaitingOutput,
      picture.settledLately,
      windowSeconds,
    ),
  };
}

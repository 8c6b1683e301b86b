import { allowanceLeft, mayRunApp, type NoWorkCause, utcDay } from '@gleaner/domain';
import type { Claimer, ClaimRow } from './claim.statement.js';
import type { RunningJob } from './job-directory.js';
import type { TicketRefusal } from './ticket.js';

/** What comes of a ticket that did not become a task of the host that asked. */
export type TicketOutcome =
  /** It never becomes a task. */
  | { readonly kind: 'gone' }
  /** Others can have it. */
  | { readonly kind: 'not-theirs'; readonly why: TicketRefusal }
  /** Anybody can have it; the host gets nothing more for now. */
  | { readonly kind: 'no-more'; readonly cause: NoWorkCause };

/** Who submitted a job, who would compute it, and whether its app is approved: what credit and trust go by. */
export function personsOf(
  { submitterPersonId, isAppApproved }: Pick<RunningJob, 'submitterPersonId' | 'isAppApproved'>,
  { personId }: { readonly personId: string },
): Parameters<typeof mayRunApp>[0] {
  return { personId, submitterPersonId, isAppApproved };
}

/** Why the host cannot compute a job's units, whichever they are. */
export function refusalOf(
  job: RunningJob,
  host: { readonly personId: string },
  wish: { readonly runtimeVersions: readonly string[] },
): TicketRefusal | null {
  if (!wish.runtimeVersions.includes(job.runtimeVersion)) return 'runtime-too-old';
  return mayRunApp(personsOf(job, host)) ? null : 'unapproved-app';
}

/**
 * What a claim that was refused means.
 *
 * @param row undefined: the database has said nothing about it
 */
export function outcomeOf(
  row: ClaimRow | undefined,
  { cap }: Pick<Claimer, 'cap'>,
  { cores, countedCores }: { readonly cores: number; readonly countedCores: number },
  nowMs: number,
): TicketOutcome {
  switch (row?.refusal) {
    case 'gone':
      return { kind: 'gone' };
    case 'own':
      return { kind: 'not-theirs', why: 'already-has-task' };
    case 'dependent':
      return { kind: 'not-theirs', why: 'needs-another-account' };
    case 'held':
      return noMore({ code: 'host-held', reason: row.held_reason ?? '' });
    case 'allowance': {
      const perDay = row.allowance_per_day;
      const { resetsAt } = allowanceLeft({ perDay, day: utcDay(nowMs), used: perDay }, nowMs);
      return noMore({ code: 'allowance-used', perDay, resetsAt });
    }
    case 'cap':
      return noMore({
        code: 'too-many-in-progress',
        // The row tells what was there before this batch, which has given the host all that it had room for.
        inProgress: Math.max(row.in_progress, cap),
        cap,
        countedCores,
        cores,
      });
    case null:
    case undefined:
      return noMore({ code: 'server-busy' });
  }
}

function noMore(cause: NoWorkCause): TicketOutcome {
  return { kind: 'no-more', cause };
}

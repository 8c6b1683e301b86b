import type { NoWorkCause, UnitClass } from '@gleaner/domain';
import type { RunningJob } from './job-directory.js';
import type { TicketRefusal } from './ticket-store.js';

/** Collects, while a request is served, why it gets fewer tasks than it wished for. */
export class NoWorkTally {
  /** Classes of the running jobs that have open units. */
  readonly offeredClasses: ReadonlySet<UnitClass>;
  private readonly openJobs: readonly RunningJob[];
  private readonly refusals = new Map<TicketRefusal, number>();
  private final: NoWorkCause | null = null;

  constructor(
    jobs: ReadonlyMap<number, RunningJob>,
    private readonly host: { readonly personId: string },
    private readonly wish: { readonly memoryMiB: number; readonly runtimeVersions: readonly string[] },
  ) {
    this.openJobs = [...jobs.values()].filter(({ openUnits }) => openUnits > 0);
    this.offeredClasses = new Set(this.openJobs.map(({ unitClass }) => unitClass));
  }

  /** Nothing more will be given to this request. */
  get isFinal(): boolean {
    return this.final !== null;
  }

  stop(cause: NoWorkCause): void {
    this.final ??= cause;
  }

  passOver(why: TicketRefusal): void {
    this.refusals.set(why, (this.refusals.get(why) ?? 0) + 1);
  }

  /** @param servable classes that the host can serve */
  causes(servable: ReadonlySet<UnitClass>): NoWorkCause[] {
    if (this.final) return [this.final];
    if (this.openJobs.length === 0) return [{ code: 'no-jobs' }];
    const causes: NoWorkCause[] = [];
    for (const code of ['already-has-task', 'needs-another-account'] as const) {
      const units = this.refusals.get(code) ?? 0;
      if (units > 0) causes.push({ code, units });
    }
    causes.push(...this.jobsOutOfReach(servable));
    return causes.length > 0 ? causes : [{ code: 'queue-empty' }];
  }

  private jobsOutOfReach(servable: ReadonlySet<UnitClass>): NoWorkCause[] {
    const causes: NoWorkCause[] = [];
    const tooLarge = this.openJobs.filter(({ unitClass }) => !servable.has(unitClass));
    if (tooLarge.length > 0) {
      causes.push({
        code: 'memory-too-small',
        units: unitsOf(tooLarge),
        neededMiB: Math.min(...tooLarge.map(({ memoryMiB }) => memoryMiB)),
        offeredMiB: this.wish.memoryMiB,
      });
    }
    const reachable = this.openJobs.filter(({ unitClass }) => servable.has(unitClass));
    const tooNew = reachable.filter(
      ({ runtimeVersion }) => !this.wish.runtimeVersions.includes(runtimeVersion),
    );
    const [first] = tooNew;
    if (first) {
      causes.push({ code: 'runtime-too-old', units: unitsOf(tooNew), neededVersion: first.runtimeVersion });
    }
    const unapproved = reachable.filter(
      (job) => !job.isAppApproved && job.submitterPersonId !== this.host.personId,
    );
    if (unapproved.length > 0) causes.push({ code: 'unapproved-app', units: unitsOf(unapproved) });
    return causes;
  }
}

function unitsOf(jobs: readonly RunningJob[]): number {
  return jobs.reduce((sum, { openUnits }) => sum + openUnits, 0);
}

import { isForAgentsOnly, mayRunApp, memoryOfClass, type NoWorkCause, type UnitClass } from '@gleaner/domain';
import type { HostKind } from '@gleaner/protocol';
import type { RunningJob } from './job-directory.js';
import { personsOf } from './ticket-outcome.js';
import type { TicketRefusal } from './ticket.js';

/** Collects, while a request is served, why it gets fewer tasks than it wished for. */
export class NoWorkTally {
  /** Classes of the running jobs that have open units. */
  readonly offeredClasses: ReadonlySet<UnitClass>;
  private readonly openJobs: readonly RunningJob[];
  /** Units of some are still to be made. */
  private readonly isAnyRunning: boolean;
  /** Units, each once: a request may come by several tickets of one, and by each of them several times. */
  private readonly refused = new Map<TicketRefusal, Set<number>>();
  private final: NoWorkCause | null = null;

  constructor(
    jobs: ReadonlyMap<number, RunningJob>,
    private readonly host: { readonly personId: string; readonly kind: HostKind },
    private readonly wish: { readonly memoryMiB: number; readonly runtimeVersions: readonly string[] },
  ) {
    this.isAnyRunning = jobs.size > 0;
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

  passOver(unitId: number, why: TicketRefusal): void {
    const units = this.refused.get(why) ?? new Set();
    this.refused.set(why, units.add(unitId));
  }

  /**
   * @param servable classes that the host can serve
   * @param queueTrouble why tickets may not have come that are there; null: nothing is known to be wrong
   */
  causes(servable: ReadonlySet<UnitClass>, queueTrouble: string | null): NoWorkCause[] {
    if (this.final) return [this.final];
    const busy: NoWorkCause[] = queueTrouble === null ? [] : [{ code: 'server-busy', queueTrouble }];
    if (this.openJobs.length === 0)
      return this.isAnyRunning && busy.length > 0 ? busy : [{ code: 'no-jobs' }];
    const causes: NoWorkCause[] = [];
    const own = this.refused.get('already-has-task') ?? new Set<number>();
    // Of a unit with a task of one's own, others could not be given to oneself either: one reason for each unit.
    const dependent = [...(this.refused.get('needs-another-account') ?? [])].filter((id) => !own.has(id));
    if (own.size > 0) causes.push({ code: 'already-has-task', units: own.size });
    if (dependent.length > 0) causes.push({ code: 'needs-another-account', units: dependent.length });
    causes.push(...this.jobsOutOfReach(servable));
    // What was passed over may be little of what would come.
    if (this.openJobs.some((job) => this.mayServe(job, servable))) causes.push(...busy);
    return causes.length > 0 ? causes : [{ code: 'queue-empty' }];
  }

  private mayServe(job: RunningJob, servable: ReadonlySet<UnitClass>): boolean {
    return servable.has(job.unitClass) && this.runs(job) && mayRunApp(personsOf(job, this.host));
  }

  private runs({ runtimeVersion }: RunningJob): boolean {
    return this.wish.runtimeVersions.includes(runtimeVersion);
  }

  private jobsOutOfReach(servable: ReadonlySet<UnitClass>): NoWorkCause[] {
    const causes: NoWorkCause[] = [];
    const outOfReach = this.openJobs.filter(({ unitClass }) => !servable.has(unitClass));
    const isForOthers = ({ unitClass }: RunningJob): boolean =>
      this.host.kind === 'browser' && isForAgentsOnly(unitClass);
    const forOthers = outOfReach.filter(isForOthers);
    const tooLarge = outOfReach.filter((job) => !isForOthers(job));
    if (tooLarge.length > 0) {
      causes.push({
        code: 'memory-too-small',
        units: unitsOf(tooLarge),
        neededMiB: Math.min(...tooLarge.map(({ unitClass }) => memoryOfClass(unitClass))),
        offeredMiB: this.wish.memoryMiB,
      });
    }
    if (forOthers.length > 0) causes.push({ code: 'agents-only', units: unitsOf(forOthers) });
    const reachable = this.openJobs.filter(({ unitClass }) => servable.has(unitClass));
    const tooNew = reachable.filter((job) => !this.runs(job));
    const [first] = tooNew;
    if (first) {
      causes.push({ code: 'runtime-too-old', units: unitsOf(tooNew), neededVersion: first.runtimeVersion });
    }
    const unapproved = reachable.filter((job) => !mayRunApp(personsOf(job, this.host)));
    if (unapproved.length > 0) causes.push({ code: 'unapproved-app', units: unitsOf(unapproved) });
    return causes;
  }
}

function unitsOf(jobs: readonly RunningJob[]): number {
  return jobs.reduce((sum, { openUnits }) => sum + openUnits, 0);
}

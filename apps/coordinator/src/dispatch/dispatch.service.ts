import { Inject, Injectable } from '@nestjs/common';
import {
  afterServing,
  classesAbreast,
  classesInTurn,
  classesOfHost,
  type ClassTurns,
  DEFAULT_TASKS_PER_CORE,
  earnsCredit,
  grantableTasks,
  isIndependentOfAll,
  type NoWorkCause,
  type UnitClass,
  whyHostRests,
} from '@gleaner/domain';
import { LIMITS, type HeldFile } from '@gleaner/protocol';
import { ClaimDesk } from './claim-desk.service.js';
import type { Claim, Claimer, ClaimRow } from './claim.statement.js';
import { DISPATCH_SETTINGS, type DispatchSettings } from './dispatch-settings.js';
import { DispatchPauses } from './dispatch-pauses.service.js';
import type { HostContext } from './host-directory.js';
import { JobDirectory, type RunningJob } from './job-directory.js';
import { type LocalChunks, Locality } from './locality.service.js';
import { NoWorkTally } from './no-work-tally.js';
import type { Taker } from './taker.js';
import { TicketFeeder } from './ticket-feeder.service.js';
import { outcomeOf, personsOf, refusalOf, type TicketOutcome } from './ticket-outcome.js';
import type { Ticket } from './ticket.js';

/** Tickets turn out to be replays or somebody else's; a request tries anew this often before it goes without. */
const MAX_ROUNDS = 4;
/** A closed browser tab does not say goodbye. */
const BROWSER_LEASE_MS = 10 * 60 * 1000;
const AGENT_LEASE_MS = LIMITS.taskDeadlineMs;

export interface WorkWish {
  readonly maxTasks: number;
  readonly memoryMiB: number;
  readonly cores: number;
  readonly runtimeVersions: readonly string[];
  /** Version of the owner's wishes that whoever sits at the host overruled. */
  readonly overrulesWishes?: number | undefined;
  /** Chunks of inputs that the host holds. */
  readonly held?: readonly HeldFile[] | undefined;
}

/** A ticket that became a task of the asking host. */
export interface AssignedTask {
  readonly unitId: number;
  readonly ordinal: number;
  readonly job: RunningJob;
  /** JSON texts. */
  readonly params: string;
  readonly windows: string;
  readonly deadlineMs: number;
}

export interface Assignment {
  readonly tasks: readonly AssignedTask[];
  /** Why there are fewer than wished for; empty when all came. */
  readonly causes: readonly NoWorkCause[];
}

/** Gives hosts the work they ask for, or says why not. */
@Injectable()
export class DispatchService {
  /** Of this coordinator: each is fair to what it hands out. */
  private turns: ClassTurns = new Map();

  constructor(
    private readonly feeder: TicketFeeder,
    private readonly jobs: JobDirectory,
    private readonly desk: ClaimDesk,
    private readonly pauses: DispatchPauses,
    private readonly locality: Locality,
    @Inject(DISPATCH_SETTINGS) private readonly settings: DispatchSettings,
  ) {}

  async assign(host: HostContext, wish: WorkWish): Promise<Assignment> {
    if (wish.maxTasks === 0) return { tasks: [], causes: [] };
    const rest = whyHostRests(host, wish.overrulesWishes) ?? (await this.standstill());
    if (rest) return { tasks: [], causes: [rest] };
    const jobs = await this.jobs.list();
    const tally = new NoWorkTally(jobs, host, wish);
    const servable = new Set(classesOfHost(host.kind, wish.memoryMiB));
    const offered = [...servable].filter((unitClass) => tally.offeredClasses.has(unitClass));
    const shareOf = (unitClass: UnitClass): number => this.jobs.shareOf(unitClass);
    const classes = classesInTurn(offered, this.turns, shareOf);
    if (classes.length === 0) return { tasks: [], causes: tally.causes(servable, this.feeder.trouble()) };
    await this.feeder.want(classes);

    const claimer = claimerOf(host, wish);
    const local = this.locality.of(host.personId, wish.held);
    const asking: Asking = { host, claimer, wish, tally, local };
    const abreast = classesAbreast(classes, this.turns, shareOf);
    const tasks = await this.serve(asking, {
      party: claimer,
      classes,
      abreast,
      canJoin: this.joining(asking, jobs),
    });
    return {
      tasks,
      causes: tasks.length < wish.maxTasks ? tally.causes(servable, this.feeder.trouble()) : [],
    };
  }

  private async standstill(): Promise<NoWorkCause | null> {
    const pause = await this.pauses.current();
    return pause && { code: 'dispatch-paused', reason: pause.reason };
  }

  private async serve(asking: Asking, taker: Taker): Promise<AssignedTask[]> {
    const { maxTasks } = asking.wish;
    const tasks: AssignedTask[] = [];
    for (let round = 0; round < MAX_ROUNDS && tasks.length < maxTasks && !asking.tally.isFinal; round += 1) {
      const tickets = await this.take(asking, taker, maxTasks - tasks.length);
      if (tickets.length === 0) break;
      const claims = this.prepare(tickets, await this.jobsOf(tickets), asking);
      if (claims.length > 0) tasks.push(...(await this.assignClaimed(claims, asking)));
    }
    return tasks;
  }

  private async take({ local, tally }: Asking, taker: Taker, count: number): Promise<readonly Ticket[]> {
    const { store } = this.feeder;
    const prefers = local && (await local.preferenceAmong(store.glance(taker, count)));
    const { tickets, passedOver } = store.take({ ...taker, prefers }, count);
    for (const { unitId, why } of passedOver) tally.passOver(unitId, why);
    return tickets;
  }

  /** By what this coordinator knows of jobs and of a unit's volunteers; the claim decides. */
  private joining({ host, claimer, wish }: Asking, jobs: ReadonlyMap<number, RunningJob>): Taker['canJoin'] {
    const { allowSameNetwork } = this.settings;
    return (volunteers, { jobId }) => {
      const job = jobs.get(jobId);
      if (!job || refusalOf(job, host, wish) !== null) return false;
      return isIndependentOfAll(claimer, volunteers, { distinct: job.distinct, allowSameNetwork });
    };
  }

  /** Null where one does not run. Where this fails, the tickets are there for the next request. */
  private async jobsOf(tickets: readonly Ticket[]): Promise<ReadonlyMap<number, RunningJob | null>> {
    const jobs = new Map<number, RunningJob | null>();
    try {
      for (const { jobId, heldSinceMs } of tickets) {
        if (!jobs.get(jobId)) jobs.set(jobId, await this.jobs.find(jobId, heldSinceMs));
      }
    } catch (error) {
      for (const ticket of tickets) this.feeder.store.putBack(ticket);
      throw error;
    }
    return jobs;
  }

  /** Sorts out what needs no look into the database. */
  private prepare(
    tickets: readonly Ticket[],
    jobs: ReadonlyMap<number, RunningJob | null>,
    asking: Asking,
  ): PreparedClaim[] {
    const { host, claimer, wish } = asking;
    const claims: PreparedClaim[] = [];
    for (const ticket of tickets) {
      const job = jobs.get(ticket.jobId);
      if (!job) {
        // Cancelled, paused or ended. If it is resumed, the ticket is made anew.
        this.refuse(ticket, { kind: 'gone' }, asking);
        continue;
      }
      const why = refusalOf(job, host, wish);
      if (why !== null) {
        this.refuse(ticket, { kind: 'not-theirs', why }, asking);
        continue;
      }
      const creditEligible = earnsCredit({ ...personsOf(job, host), isHostHeld: false });
      const { unitId, ordinal } = ticket;
      claims.push({ ticket, job, claim: { unitId, ordinal, creditEligible, mayDepend: false, claimer } });
    }
    return claims;
  }

  private async assignClaimed(
    claims: readonly PreparedClaim[],
    asking: Asking,
  ): Promise<readonly AssignedTask[]> {
    const { host, claimer, local } = asking;
    const rows = await this.claim(claims);
    const tasks: AssignedTask[] = [];
    for (const [at, { ticket, job }] of claims.entries()) {
      const row = rows[at];
      if (row?.refusal === null) {
        tasks.push(this.grant(ticket, job, row));
        this.turns = afterServing(this.turns, ticket.unitClass, 1, this.jobs.shareOf(ticket.unitClass));
      } else this.refuse(ticket, outcomeOf(row, claimer, host, Date.now()), asking);
      local?.noteTried(ticket.unitId);
    }
    return tasks;
  }

  private async claim(claims: readonly PreparedClaim[]): Promise<ReadonlyArray<ClaimRow | undefined>> {
    try {
      return await this.desk.claim(claims.map(({ claim, job }) => ({ ...claim, distinct: job.distinct })));
    } catch (error) {
      for (const { ticket } of claims) this.feeder.store.putBack(ticket);
      throw error;
    }
  }

  private grant(ticket: Ticket, job: RunningJob, row: ClaimRow): AssignedTask {
    this.feeder.store.finish(ticket);
    return {
      unitId: ticket.unitId,
      ordinal: ticket.ordinal,
      job,
      params: row.params ?? '{}',
      windows: row.windows ?? '{}',
      deadlineMs: row.deadline_ms ?? 0,
    };
  }

  private refuse(ticket: Ticket, outcome: TicketOutcome, { host, tally }: Asking): void {
    const { store } = this.feeder;
    switch (outcome.kind) {
      case 'gone':
        this.feeder.drop(ticket);
        return;
      case 'not-theirs':
        store.putBack(ticket, { personId: host.personId, why: outcome.why });
        tally.passOver(ticket.unitId, outcome.why);
        return;
      case 'no-more':
        store.putBack(ticket);
        tally.stop(outcome.cause);
        return;
    }
  }
}

/** A request that is being served. */
interface Asking {
  readonly host: HostContext;
  readonly claimer: Claimer;
  readonly wish: WorkWish;
  readonly tally: NoWorkTally;
  /** Undefined: it holds nothing that matters. */
  readonly local: LocalChunks | undefined;
}

interface PreparedClaim {
  readonly ticket: Ticket;
  readonly job: RunningJob;
  readonly claim: Claim;
}

function claimerOf(host: HostContext, wish: WorkWish): Claimer {
  return {
    hostId: host.hostId,
    accountId: host.accountId,
    personId: host.personId,
    anonymous: host.anonymous,
    network: host.network,
    cap: grantableTasks({
      requested: LIMITS.hostTasksInProgress,
      inProgress: 0,
      cores: Math.min(wish.cores, host.countedCores),
      perCore: DEFAULT_TASKS_PER_CORE,
      perHost: LIMITS.hostTasksInProgress,
    }),
    leaseMs: host.kind === 'browser' ? BROWSER_LEASE_MS : AGENT_LEASE_MS,
  };
}

import { Injectable } from '@nestjs/common';
import {
  cyclesPerSecond,
  heartbeatMs,
  type HostSpeed,
  noWorkReason,
  type NoWorkCause,
  retryAfterMs,
  speedAfter,
} from '@gleaner/domain';
import {
  type HeartbeatRequest,
  type HeartbeatResponse,
  type HostTasks,
  MIN_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type TaskId,
  type WorkJob,
  type WorkRequest,
  type WorkResponse,
} from '@gleaner/protocol';
import { BoundedCache, DomainError, type HostActor } from '../http/index.js';
import { ReportsService, TaskOutputs } from '../results/index.js';
import { SwarmTickets } from '../tracker/index.js';
import { type Assignment, DispatchService } from './dispatch.service.js';
import { HostDirectory, type HostContext } from './host-directory.js';
import { HostInstances } from './host-instances.service.js';
import { HostStates } from './host-states.service.js';
import { LeasesService } from './leases.service.js';

/** How often it is made sure that an idle host knows of all tasks it has. */
const RECONCILE_EVERY_MS = 15_000;
const RECONCILED_HOSTS = 50_000;
/** What a host was last told, for its owner to see. */
const REMEMBERED_ANSWERS = 50_000;
const ANSWER_AGE_MAX_MS = 60 * 60 * 1000;

/** The answer to POST /v1/work, its tasks' parameters already JSON text. */
export interface WorkAnswer extends Omit<WorkResponse, 'tasks'> {
  readonly assignment: Assignment;
}

interface LastAnswer {
  readonly atMs: number;
  readonly causes: readonly NoWorkCause[];
}

/** The two calls that a volunteer's machine makes all day. */
@Injectable()
export class WorkService {
  private readonly reconciled = new BoundedCache<string, true>(RECONCILED_HOSTS, RECONCILE_EVERY_MS);
  private readonly speeds = new BoundedCache<string, HostSpeed>(REMEMBERED_ANSWERS, ANSWER_AGE_MAX_MS);
  private readonly answers = new BoundedCache<string, LastAnswer>(REMEMBERED_ANSWERS, ANSWER_AGE_MAX_MS);

  constructor(
    private readonly hosts: HostDirectory,
    private readonly dispatch: DispatchService,
    private readonly reports: ReportsService,
    private readonly outputs: TaskOutputs,
    private readonly leases: LeasesService,
    private readonly instances: HostInstances,
    private readonly states: HostStates,
    private readonly swarmTickets: SwarmTickets,
  ) {}

  /** @param address that the host called from */
  async work(actor: HostActor, address: string, body: WorkRequest): Promise<WorkAnswer> {
    if (body.protocol > PROTOCOL_VERSION) {
      throw new DomainError(
        'invalid-request',
        `This coordinator speaks protocol ${PROTOCOL_VERSION}, not ${body.protocol}.`,
        { errors: [{ pointer: '/protocol', detail: `must be at most ${PROTOCOL_VERSION}` }] },
      );
    }
    if (body.protocol < MIN_PROTOCOL_VERSION) {
      throw new DomainError(
        'agent-too-old',
        `This agent speaks protocol ${body.protocol}; the coordinator needs ${MIN_PROTOCOL_VERSION} or newer: update the agent. What it has computed is kept until then.`,
      );
    }
    const host = await this.hosts.find(actor.hostId, address);
    const reports = await this.reports.take(host, body.reports);
    this.noteSpeed(host.hostId, body.reports);
    const assignment = await this.assign(host, body);
    const { isUsedTwice, mayBeAnothers } = this.instances.hear(host.hostId, body.instance, hasLeft(body));
    if (assignment.tasks.length === 0 && body.holding && !mayBeAnothers)
      await this.reconcile(host, body.holding);
    if (body.request) this.answers.set(host.hostId, { atMs: Date.now(), causes: assignment.causes });
    await this.states.note(host.hostId, body.state);
    const outputsWanted = await this.outputs.wantedOf(host.hostId);
    const jobs = new Map(assignment.tasks.map(({ job }) => [job.jobId, job.work]));
    return {
      reports,
      jobs: [...(await this.withTickets([...jobs.values()], host, body.request?.peerId))],
      assignment,
      noWork: assignment.causes.map(noWorkReason),
      outputsWanted: [...outputsWanted],
      retryAfterMs: retryAfterMs(assignment.causes),
      heartbeatMs: heartbeatMs(host.kind),
      ...(host.wishes && { wishes: host.wishes }),
      ...(isUsedTwice && { isUsedTwice }),
    };
  }

  async heartbeat(actor: HostActor, address: string, body: HeartbeatRequest): Promise<HeartbeatResponse> {
    const host = await this.hosts.find(actor.hostId, address);
    const { isUsedTwice, mayBeAnothers } = this.instances.hear(host.hostId, body.instance, hasLeft(body));
    // Of two agents, one leaves and the other goes on: only what is named is given back.
    const tasks = await this.leases.renew(host, mayBeAnothers ? { ...body, leaving: false } : body);
    await this.states.note(host.hostId, body.state);
    return {
      tasks,
      outputsWanted: [...(await this.outputs.wantedOf(host.hostId))],
      nextMs: heartbeatMs(host.kind),
      ...(host.wishes && { wishes: host.wishes }),
      ...(isUsedTwice && { isUsedTwice }),
    };
  }

  /** What the host was told when it last asked this coordinator for work; null where that is long ago. */
  lastAnswerTo(hostId: string): HostTasks['lastAnswer'] {
    const answer = this.answers.get(hostId);
    return answer
      ? { at: new Date(answer.atMs).toISOString(), noWork: answer.causes.map(noWorkReason) }
      : null;
  }

  /** Executed instructions a second of one of the host's cores, from what it reported lately; null where that is nothing. */
  speedOf(hostId: string): string | null {
    const speed = this.speeds.get(hostId);
    return speed ? String(cyclesPerSecond(speed)) : null;
  }

  /** For its owner's eyes only: nothing is decided by what a host says of itself. */
  private noteSpeed(hostId: string, reports: WorkRequest['reports']): void {
    if (reports.length === 0) return;
    let speed = this.speeds.get(hostId);
    for (const report of reports) speed = speedAfter(speed, report);
    if (speed) this.speeds.set(hostId, speed);
  }

  /** Only for hosts that get nothing: the others show up here before long, and most calls need not pay for it. */
  private async reconcile(host: HostContext, holding: readonly TaskId[]): Promise<void> {
    if (this.reconciled.get(host.hostId)) return;
    this.reconciled.set(host.hostId, true);
    await this.leases.reconcile(host.hostId, holding);
  }

  private async withTickets(
    jobs: readonly WorkJob[],
    { hostId }: HostContext,
    peerId: string | undefined,
  ): Promise<readonly WorkJob[]> {
    return peerId === undefined || jobs.length === 0 ? jobs : this.swarmTickets.addTo(jobs, hostId, peerId);
  }

  private async assign(host: HostContext, body: WorkRequest): Promise<Assignment> {
    if (!body.request) return { tasks: [], causes: [] };
    return this.dispatch.assign(host, { ...body.request, runtimeVersions: body.runtimeVersions });
  }
}

function hasLeft({ state }: Pick<WorkRequest, 'state'>): boolean {
  return state?.phase === 'stopped';
}

import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { PublicJobView } from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  AccessGuard,
  DomainError,
  etagOf,
  EventStream,
  KEEP_ALIVE_COMMENT,
  streamEvent,
  StreamSlots,
  type Actor,
  type StreamEvent,
} from '../http/index.js';
import { JobPictures } from './job-pictures.service.js';
import { PublicJobs } from './public-jobs.service.js';

const LOOK_EVERY_MS = 1_000;
const KEEP_ALIVE_LOOKS = 15;
const RECONNECT_AFTER_MS = 3_000;
const SUBSCRIBERS_MAX = 2_000;

/** The followers of one job. */
interface Audience {
  /** With the requests of those who may look when it is private. */
  readonly followers: Map<EventStream, FastifyRequest | null>;
  /** What everybody has been sent. */
  lastEvent: StreamEvent;
}

/** Public jobs as server-sent events: one look a second for each followed job, however many follow it. */
@Injectable()
export class JobBroadcast implements OnModuleDestroy {
  private readonly stopping = new AbortController();
  private readonly audiences = new Map<string, Audience>();
  private subscribers = 0;

  constructor(
    private readonly pictures: JobPictures,
    private readonly jobs: PublicJobs,
    private readonly guard: AccessGuard,
    private readonly slots: StreamSlots,
  ) {}

  onModuleDestroy(): void {
    this.stopping.abort();
    for (const { followers } of this.audiences.values())
      for (const follower of followers.keys()) follower.end();
  }

  /** Streams until the job has ended or the client has left. `Last-Event-ID` spares what the client has seen already. */
  async follow(
    jobId: string,
    actor: Actor | null,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const first = eventOf(await this.pictures.view(jobId, actor));
    const isTheirs = await this.jobs.mayLook(jobId, actor);
    // It may have been hidden since the caller's view was made; what its audience saw last may be older than both.
    if (!isTheirs) await this.pictures.view(jobId, null);
    if (this.subscribers >= SUBSCRIBERS_MAX) {
      throw new DomainError('server-busy', `${SUBSCRIBERS_MAX} clients follow jobs already: poll instead.`, {
        headers: { 'retry-after': '30' },
      });
    }
    const known = this.audiences.get(jobId);
    const audience: Audience = known ?? { followers: new Map(), lastEvent: first };
    this.slots.hold(request, reply, actor);
    // It left while its first event was made.
    if (reply.raw.closed) return;
    this.subscribers += 1;
    const follower = EventStream.open(reply, RECONNECT_AFTER_MS);
    // Not `first`: the others may have been told of something newer since that was made, and only what is new is told again.
    const { lastEvent } = audience;
    if (request.headers['last-event-id'] !== lastEvent.id) follower.write(lastEvent.text);
    audience.followers.set(follower, isTheirs ? request : null);
    follower.onceClosed(() => {
      this.subscribers -= 1;
      audience.followers.delete(follower);
    });
    if (known) return;
    this.audiences.set(jobId, audience);
    void this.broadcast(jobId, audience);
  }

  private async broadcast(jobId: string, audience: Audience): Promise<void> {
    const { signal } = this.stopping;
    try {
      for (let looks = 1; audience.followers.size > 0; looks += 1) {
        const view = await this.pictures.look(jobId);
        if (!view.job.visibility.public) await this.dismissStrangers(jobId, audience);
        const event = eventOf(view);
        const isNews = event.id !== audience.lastEvent.id;
        audience.lastEvent = event;
        if (isNews) tell(audience, event.text);
        else if (looks % KEEP_ALIVE_LOOKS === 0) tell(audience, KEEP_ALIVE_COMMENT);
        if (view.job.finishedAt !== null) {
          tell(audience, `event: end\ndata: {}\n\n`);
          return;
        }
        await delay(LOOK_EVERY_MS, undefined, { signal });
      }
    } catch {
      // Deleted, or the database is away: clients reconnect and are told which.
    } finally {
      this.audiences.delete(jobId);
      for (const follower of audience.followers.keys()) follower.end();
    }
  }

  /** Clients reconnect, and are told that there is nothing. */
  private async dismissStrangers(jobId: string, { followers }: Audience): Promise<void> {
    for (const [follower, request] of followers) {
      if (request !== null && (await this.isStillTheirs(jobId, request))) continue;
      followers.delete(follower);
      follower.end();
    }
  }

  /** Their token may have been revoked meanwhile, or the project be theirs no longer. */
  private async isStillTheirs(jobId: string, request: FastifyRequest): Promise<boolean> {
    try {
      return await this.jobs.mayLook(jobId, await this.guard.identify(request));
    } catch (error) {
      if (error instanceof DomainError) return false;
      throw error;
    }
  }
}

function tell({ followers }: Audience, text: string): void {
  for (const follower of followers.keys()) follower.write(text);
}

function eventOf(view: PublicJobView): StreamEvent {
  return streamEvent(etagOf(view).slice(1, -1), 'job', view);
}

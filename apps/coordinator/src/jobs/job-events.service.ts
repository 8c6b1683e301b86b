import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Job } from '@gleaner/protocol';
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
} from '../http/index.js';
import { JobsService } from './jobs.service.js';

const POLL_MS = 1_000;
const KEEP_ALIVE_POLLS = 15;
const RECONNECT_AFTER_MS = 3_000;
const SUBSCRIBERS_MAX = 1_000;

/** A job's progress as server-sent events: each is the whole state, so that a missed one does not matter. */
@Injectable()
export class JobEvents implements OnModuleDestroy {
  private readonly stopping = new AbortController();
  private subscribers = 0;

  constructor(
    private readonly jobs: JobsService,
    private readonly guard: AccessGuard,
    private readonly slots: StreamSlots,
  ) {}

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /** Ends with the event `end` when the job has ended. `Last-Event-ID` spares what the client has seen already. */
  async stream(actor: Actor, jobId: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const job = await this.jobs.get(actor, jobId);
    if (this.subscribers >= SUBSCRIBERS_MAX) {
      throw new DomainError('server-busy', `${SUBSCRIBERS_MAX} clients follow jobs already: poll instead.`, {
        headers: { 'retry-after': '30' },
      });
    }
    this.slots.hold(request, reply, actor);
    this.subscribers += 1;
    const closed = new AbortController();
    const stream = EventStream.open(reply, RECONNECT_AFTER_MS);
    stream.onceClosed(() => closed.abort());
    try {
      await this.follow(job, request, stream, closed.signal);
    } finally {
      this.subscribers -= 1;
      stream.end();
    }
  }

  private async follow(
    first: Job,
    request: FastifyRequest,
    stream: EventStream,
    closed: AbortSignal,
  ): Promise<void> {
    const signal = AbortSignal.any([closed, this.stopping.signal]);
    let seen = request.headers['last-event-id'];
    let job: Job = first;
    for (let polls = 1; !signal.aborted; polls += 1) {
      const event = streamEvent(etagOf(job).slice(1, -1), 'job', job);
      if (event.id !== seen) stream.write(event.text);
      else if (polls % KEEP_ALIVE_POLLS === 0) stream.write(KEEP_ALIVE_COMMENT);
      seen = event.id;
      if (job.finishedAt !== null) {
        stream.write(`event: end\ndata: ${JSON.stringify({ state: job.state })}\n\n`);
        return;
      }
      try {
        await delay(POLL_MS, undefined, { signal });
        // Whose token was revoked meanwhile is told nothing more.
        const actor = await this.guard.authenticate(request, { kind: 'scope', scope: 'submit' });
        job = await this.jobs.get(actor, job.id);
      } catch {
        // Gone, deleted, not theirs any longer, or the database is away: the client reconnects and is told which.
        return;
      }
    }
  }
}

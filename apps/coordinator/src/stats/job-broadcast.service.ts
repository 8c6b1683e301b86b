import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { PublicJobView } from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, etagOf, StreamSlots, type Actor } from '../http/index.js';
import { JobPictures } from './job-pictures.service.js';
import { PublicJobs } from './public-jobs.service.js';

const LOOK_EVERY_MS = 1_000;
/** A comment that keeps proxies from closing a silent stream. */
const KEEP_ALIVE_LOOKS = 15;
const SUBSCRIBERS_MAX = 2_000;
/** A reader that is this far behind is cut off: it reconnects and gets the newest state. */
const BEHIND_BYTES_MAX = 64 * 1024;

interface JobEvent {
  readonly id: string;
  readonly text: string;
}

/** The followers of one job. */
interface Audience {
  /** With whether they may look when it is private. */
  readonly followers: Map<FastifyReply, boolean>;
  /** What everybody has been sent. */
  lastEvent: JobEvent;
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
    private readonly slots: StreamSlots,
  ) {}

  onModuleDestroy(): void {
    this.stopping.abort();
    for (const { followers } of this.audiences.values())
      for (const reply of followers.keys()) reply.raw.end();
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
    if (this.subscribers >= SUBSCRIBERS_MAX) {
      throw new DomainError('server-busy', `${SUBSCRIBERS_MAX} clients follow jobs already: poll instead.`, {
        headers: { 'retry-after': '30' },
      });
    }
    this.slots.hold(request, reply, actor);
    // It left while its first event was made.
    if (reply.raw.closed) return;
    this.subscribers += 1;
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    reply.raw.write('retry: 3000\n\n');
    if (request.headers['last-event-id'] !== first.id) reply.raw.write(first.text);
    const audience = this.join(jobId, reply, isTheirs, first);
    reply.raw.once('close', () => {
      this.subscribers -= 1;
      audience.followers.delete(reply);
    });
  }

  private join(jobId: string, reply: FastifyReply, isTheirs: boolean, first: JobEvent): Audience {
    const known = this.audiences.get(jobId);
    if (known) {
      known.followers.set(reply, isTheirs);
      return known;
    }
    const audience: Audience = { followers: new Map([[reply, isTheirs]]), lastEvent: first };
    this.audiences.set(jobId, audience);
    void this.broadcast(jobId, audience);
    return audience;
  }

  private async broadcast(jobId: string, audience: Audience): Promise<void> {
    const { signal } = this.stopping;
    try {
      for (let looks = 1; audience.followers.size > 0; looks += 1) {
        const view = await this.pictures.look(jobId);
        if (!view.job.visibility.public) dismissStrangers(audience);
        const event = eventOf(view);
        const isNews = event.id !== audience.lastEvent.id;
        audience.lastEvent = event;
        if (isNews) this.tell(audience, event.text);
        else if (looks % KEEP_ALIVE_LOOKS === 0) this.tell(audience, ': still here\n\n');
        if (view.job.finishedAt !== null) {
          this.tell(audience, `event: end\ndata: {}\n\n`);
          return;
        }
        await delay(LOOK_EVERY_MS, undefined, { signal });
      }
    } catch {
      // Deleted, or the database is away: clients reconnect and are told which.
    } finally {
      this.audiences.delete(jobId);
      for (const reply of audience.followers.keys()) reply.raw.end();
    }
  }

  private tell({ followers }: Audience, text: string): void {
    for (const reply of followers.keys()) {
      reply.raw.write(text);
      if (reply.raw.writableLength > BEHIND_BYTES_MAX) reply.raw.destroy();
    }
  }
}

/** Clients reconnect, and are told that there is nothing. */
function dismissStrangers({ followers }: Audience): void {
  for (const [reply, isTheirs] of followers) {
    if (isTheirs) continue;
    followers.delete(reply);
    reply.raw.end();
  }
}

function eventOf(view: PublicJobView): JobEvent {
  const id = etagOf(view).slice(1, -1);
  return { id, text: `id: ${id}\nevent: job\ndata: ${JSON.stringify(view)}\n\n` };
}

import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { UnitClass } from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { hotPool } from '../database/index.js';
import { type DispatchData, dispatchQueueName, type JobConsumer, QueueService } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { DISPATCH_SETTINGS, type DispatchSettings } from './dispatch-settings.js';
import { returnedBatches } from './returned-batches.js';
import type { Ticket } from './ticket.js';
import { REFUSED_MAX, TicketStore, type Volunteers } from './ticket-store.js';
import { volunteersOf } from './volunteers.statement.js';
import { withdrawTickets } from './withdraw-tickets.statement.js';

/** Queue jobs of one lane that are held at once: while one is handed out the next is on its way. */
const BATCHES_PER_LANE = 3;
/** Many that were refused to whoever asked are offered again after this. */
const REFUSED_DELAY_MS = 10_000;
/** A class nobody asks for is left to other coordinators after this. */
const IDLE_MS = 3_000;
const TICK_MS = 1_000;
/** A request that wakes a class waits this long for its first tickets; all others are answered at once. */
const WAKE_WAIT_MS = 250;
/** A queue backend that is away does not take tickets back; nobody waits for it longer than this. */
const GIVE_BACK_WITHIN_MS = 5_000;

/** Dropped tickets that are looked at once a second; further ones wait for the sweep of dispatch gaps. */
const DROPPED_MAX = 8_192;

interface ClassFeed {
  readonly consumers: readonly JobConsumer[];
  lastWantedMs: number;
  awakeSinceMs: number;
  asleep: boolean;
}

/** Brings tickets from the dispatch queues into memory while hosts ask for them, and back when nobody does. */
@Injectable()
export class TicketFeeder implements OnApplicationBootstrap, OnModuleDestroy {
  readonly store: TicketStore;
  private readonly feeds = new Map<UnitClass, ClassFeed>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private readonly dropped: Ticket[] = [];

  constructor(
    private readonly queues: QueueService,
    private readonly dataSource: DataSource,
    @Inject(DISPATCH_SETTINGS) private readonly settings: DispatchSettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.store = new TicketStore(settings.lanes);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.tick(), TICK_MS);
  }

  /** Gives everything back before the queues close, so that other coordinators need not wait for a stalled check. */
  async onModuleDestroy(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    await Promise.all(
      [...this.feeds.values()].flatMap(({ consumers }) => consumers.map((each) => each.pause())),
    );
    await this.giveBack(this.store.takeOld({ all: true }));
  }

  /** Why queues may hold tickets that do not come; null: nothing is known to be wrong. */
  trouble(): string | null {
    return this.queues.knownTrouble();
  }

  /** Ends a ticket that becomes no task, as a replay, or one of a job that does not run. */
  drop(ticket: Ticket): void {
    this.store.finish(ticket);
    if (this.dropped.length < DROPPED_MAX) this.dropped.push(ticket);
  }

  /** Tells that a host asks for tickets of these classes; waits only where a class had been left alone until now. */
  async want(classes: readonly UnitClass[]): Promise<void> {
    if (this.closed) return;
    const nowMs = performance.now();
    let isWaking = false;
    for (const unitClass of classes) {
      const feed = this.feeds.get(unitClass) ?? this.open(unitClass, nowMs);
      feed.lastWantedMs = nowMs;
      if (feed.asleep) {
        feed.asleep = false;
        feed.awakeSinceMs = nowMs;
        await Promise.all(feed.consumers.map((consumer) => consumer.resume()));
      }
      if (nowMs - feed.awakeSinceMs < WAKE_WAIT_MS) isWaking = true;
    }
    if (isWaking && this.store.size === 0) await this.waitForTickets();
  }

  private open(unitClass: UnitClass, nowMs: number): ClassFeed {
    const consumers = Array.from({ length: this.settings.lanes }, (_, lane) =>
      this.queues.consume<DispatchData>(
        dispatchQueueName(unitClass, lane),
        (job) => this.hold(unitClass, lane, job.data),
        { concurrency: BATCHES_PER_LANE },
      ),
    );
    const feed: ClassFeed = { consumers, lastWantedMs: nowMs, awakeSinceMs: nowMs, asleep: false };
    this.feeds.set(unitClass, feed);
    return feed;
  }

  /** Ends when all tickets are handed out or given back. A queue job that arrives while closing goes back at once. */
  private async hold(unitClass: UnitClass, lane: number, data: DispatchData): Promise<void> {
    const begunBy = await this.begunBy(data);
    if (this.closed) await this.queues.queue<DispatchData>(dispatchQueueName(unitClass, lane)).add(data);
    else await this.store.hold(unitClass, data, begunBy);
  }

  /**
   * Of units whose tickets a coordinator gave back, it or others may have given tickets to somebody. They are not looked for where
   * tickets are new: nearly all of these are handed out before anybody would profit.
   */
  private async begunBy({ units, returned }: DispatchData): Promise<Volunteers | undefined> {
    if (returned === undefined) return undefined;
    const unitIds = [...new Set(units.map(([unitId]) => unitId))];
    try {
      return await volunteersOf(hotPool(this.dataSource), unitIds);
    } catch (error) {
      // Tickets can be handed out in any order.
      this.logger.warn({ event: 'volunteers-unknown', units: unitIds.length, err: error });
      return undefined;
    }
  }

  private async waitForTickets(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, WAKE_WAIT_MS);
    });
    await Promise.race([this.store.nextArrival(), tooLong]);
    clearTimeout(timer);
  }

  private async tick(): Promise<void> {
    const limitMs = performance.now() - IDLE_MS;
    const idle = new Set<UnitClass>();
    for (const [unitClass, feed] of this.feeds) {
      if (feed.lastWantedMs > limitMs) continue;
      idle.add(unitClass);
      if (feed.asleep) continue;
      feed.asleep = true;
      await Promise.all(feed.consumers.map((consumer) => consumer.pause()));
    }
    await this.giveBack(this.store.takeOld({ classes: idle }));
    await this.withdrawDropped();
  }

  /** Those of jobs that are paused: they come at once when these go on. What is not withdrawn the sweep of dispatch gaps finds. */
  private async withdrawDropped(): Promise<void> {
    const dropped = this.dropped.splice(0);
    if (dropped.length === 0) return;
    await withdrawTickets(hotPool(this.dataSource), dropped, { ofPausedJobs: true }).catch(() => undefined);
  }

  /** A ticket that cannot be added to its queue again is lost here; the sweep of dispatch gaps makes it anew. */
  private async giveBack(tickets: readonly Ticket[]): Promise<void> {
    // All at the same time, so that the bound of one is the bound of all.
    await Promise.all(
      returnedBatches(tickets, this.settings.lanes).map(async ({ unitClass, lane, data }) => {
        const isCrowd = data.returned === true && data.units.length > REFUSED_MAX && !this.closed;
        const delay = isCrowd ? { delayMs: REFUSED_DELAY_MS } : {};
        const queue = this.queues.queue<DispatchData>(dispatchQueueName(unitClass, lane));
        try {
          await queue.add(data, { withinMs: GIVE_BACK_WITHIN_MS, ...delay });
        } catch (error) {
          const count = data.units.length;
          this.logger.warn({ event: 'tickets-lost', unitClass, lane, tickets: count, err: error });
        }
      }),
    );
    for (const ticket of tickets) this.store.finish(ticket);
  }
}

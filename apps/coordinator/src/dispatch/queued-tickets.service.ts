import { Inject, Injectable } from '@nestjs/common';
import type { UnitClass } from '@gleaner/domain';
import { formatTaskId, type TaskId } from '@gleaner/protocol';
import { type DispatchData, dispatchQueueName, QueueService } from '../queue/index.js';
import { DISPATCH_SETTINGS, type DispatchSettings } from './dispatch-settings.js';

/** Queue jobs of one lane that are read: a lane that holds all tickets of a class that may wait has a quarter of it. */
const BATCHES_MAX = 1_000;
/** How long it is taken as known what is on the queues; less than the age of a ticket that is looked for. */
const KNOWN_MS = 5_000;

export interface QueuedTicket {
  readonly unitId: number;
  readonly ordinal: number;
}

interface Reading {
  readonly atMs: number;
  /** Every queue job was read. */
  readonly isWhole: boolean;
  readonly tickets: ReadonlySet<TaskId>;
}

/** What is on the dispatch queues, or in the memory of a coordinator that holds a queue job of theirs. */
@Injectable()
export class QueuedTickets {
  private readonly readings = new Map<UnitClass, Reading>();

  constructor(
    private readonly queues: QueueService,
    @Inject(DISPATCH_SETTINGS) private readonly settings: DispatchSettings,
  ) {}

  /** Which of these tickets of a class, put on its queues a while ago, are on none of them any more; none where that cannot be told. */
  async missing<T extends QueuedTicket>(unitClass: UnitClass, tickets: readonly T[]): Promise<T[]> {
    if (tickets.length === 0) return [];
    const known = this.readings.get(unitClass);
    const isNew = known !== undefined && performance.now() - known.atMs < KNOWN_MS;
    const missing = without(tickets, isNew ? known : await this.read(unitClass));
    // What was being given back in that moment is there by now.
    return missing.length === 0 ? [] : without(missing, await this.read(unitClass));
  }

  private async read(unitClass: UnitClass): Promise<Reading> {
    const atMs = performance.now();
    const tickets = new Set<TaskId>();
    let isWhole = true;
    for (let lane = 0; lane < this.settings.lanes; lane += 1) {
      const queue = this.queues.queue<DispatchData>(dispatchQueueName(unitClass, lane));
      const batches = await queue.unfinished(BATCHES_MAX);
      if (batches.length >= BATCHES_MAX) isWhole = false;
      for (const { units } of batches) {
        for (const [unitId, ordinal] of units) tickets.add(formatTaskId(unitId, ordinal));
      }
    }
    const reading = { atMs, isWhole, tickets };
    this.readings.set(unitClass, reading);
    return reading;
  }
}

function without<T extends QueuedTicket>(tickets: readonly T[], { isWhole, tickets: queued }: Reading): T[] {
  if (!isWhole) return [];
  return tickets.filter(({ unitId, ordinal }) => !queued.has(formatTaskId(unitId, ordinal)));
}

import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { QUEUES, QueueService, type ValidateData } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';

/** Units of one queue job. */
const UNITS_PER_JOB = 512;
/** How long the first unit waits for company: validation is not in anybody's way. */
const GATHER_MS = 50;
/** Where so many came last time, the next ones wait longer: a queue job costs as much as validating several units. */
const MANY_UNITS = 32;
const GATHER_MANY_MS = 250;
/** Announcements that may wait for an absent queue backend; the sweep finds the units of those dropped beyond it. */
const MAX_ADDS = 64;

/** Announces units whose tasks changed to whoever validates. Nothing is lost if an announcement is: sweeps repeat it. */
@Injectable()
export class Examiner implements BeforeApplicationShutdown {
  private units = new Set<number>();
  private timer: NodeJS.Timeout | undefined;
  private adding = 0;
  private gatherMs = GATHER_MS;

  constructor(
    private readonly queues: QueueService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** To be called after the commit that changed them. */
  announce(unitIds: Iterable<number>): void {
    for (const unitId of unitIds) this.units.add(unitId);
    if (this.units.size === 0) return;
    if (this.units.size >= UNITS_PER_JOB) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.gatherMs);
  }

  beforeApplicationShutdown(): void {
    this.flush();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const units = [...this.units];
    this.units = new Set();
    this.gatherMs = units.length >= MANY_UNITS ? GATHER_MANY_MS : GATHER_MS;
    for (let at = 0; at < units.length; at += UNITS_PER_JOB)
      void this.add(units.slice(at, at + UNITS_PER_JOB));
  }

  private async add(units: readonly number[]): Promise<void> {
    if (this.adding >= MAX_ADDS) return;
    this.adding += 1;
    try {
      await this.queues.queue<ValidateData>(QUEUES.validate).add({ units }, { attempts: 5 });
    } catch (error) {
      this.logger.warn({ event: 'announcement-lost', units: units.length, err: error });
    } finally {
      this.adding -= 1;
    }
  }
}

import { Injectable } from '@nestjs/common';
import { holdsUnit, type ChunkRun } from '@gleaner/domain';
import type { HeldFile, UnitWindows } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { hotPool, idBounds, plainArray, PreparedStatement } from '../database/index.js';
import { BoundedCache } from '../http/index.js';
import { JobDirectory } from './job-directory.js';
import type { Ticket } from './ticket.js';

/** Windows of units whose tickets were looked at; they never change. */
const REMEMBERED_UNITS = 50_000;
const REMEMBERED_TRIES = 100_000;
const REMEMBER_MS = 30 * 60 * 1000;
const NO_WINDOWS: UnitWindows = {};

interface WindowsRow {
  readonly id: string;
  readonly windows: UnitWindows;
}

const loadWindows = new PreparedStatement<WindowsRow>(
  'load-unit-windows',
  'SELECT id, windows FROM work_unit WHERE id = ANY ($1::bigint[]) AND id BETWEEN $2 AND $3',
);

/** What one host holds, as far as it matters to running jobs. */
export interface LocalChunks {
  /** Says of these tickets, and of no others, whether the host holds all chunks that their units need. */
  preferenceAmong(tickets: readonly Ticket[]): Promise<(ticket: Ticket) => boolean>;
  /** The person was offered the unit: nothing of it is for them any more, although they hold its chunks now. */
  noteTried(unitId: number): void;
}

/** Finds the tickets whose inputs a host need not fetch. */
@Injectable()
export class Locality {
  private readonly windows = new BoundedCache<number, UnitWindows>(REMEMBERED_UNITS, REMEMBER_MS);
  /** Units by who was offered them, or a host would be offered first, again and again, what it has just computed. */
  private readonly tried = new BoundedCache<string, true>(REMEMBERED_TRIES, REMEMBER_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly jobs: JobDirectory,
  ) {}

  /** Undefined where the host holds nothing that a running job reads: dispatch then is what it is without all this. */
  of(personId: string, files: readonly HeldFile[] = []): LocalChunks | undefined {
    const useful = files.filter(({ manifestId }) => this.jobs.isRead(manifestId));
    if (useful.length === 0) return undefined;
    const held = new Map(useful.map(({ manifestId, runs }) => [manifestId, runs]));
    return {
      preferenceAmong: async (tickets) => {
        await this.load(tickets.filter((ticket) => this.mayBeHeld(ticket, held)));
        return (ticket) => !this.tried.get(`${personId} ${ticket.unitId}`) && this.isHeld(ticket, held);
      },
      noteTried: (unitId) => this.tried.set(`${personId} ${unitId}`, true),
    };
  }

  private isHeld({ unitId, jobId }: Ticket, held: ReadonlyMap<string, readonly ChunkRun[]>): boolean {
    const job = this.jobs.known(jobId);
    if (!job) return false;
    const windows = job.isCut ? this.windows.get(unitId) : NO_WINDOWS;
    return windows !== undefined && holdsUnit(job.inputs, windows, held);
  }

  /** Whether it takes the unit's windows to know. */
  private mayBeHeld({ unitId, jobId }: Ticket, held: ReadonlyMap<string, readonly ChunkRun[]>): boolean {
    const job = this.jobs.known(jobId);
    if (!job?.isCut || this.windows.get(unitId)) return false;
    return job.inputs.every(({ manifestId }) => held.has(manifestId));
  }

  private async load(tickets: readonly Ticket[]): Promise<void> {
    if (tickets.length === 0) return;
    const ids = [...new Set(tickets.map(({ unitId }) => unitId))];
    for (const { id, windows } of await loadWindows.run(hotPool(this.dataSource), [
      plainArray(ids),
      ...idBounds(ids),
    ]))
      this.windows.set(Number(id), windows);
  }
}

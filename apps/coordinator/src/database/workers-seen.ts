import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';

/** Workers say that they are at work every ten seconds. */
const SILENT_AFTER_SECONDS = 60;

/** Since when no worker was at work, null while one is, as an expression over the row `i` of `installation`. */
export const WORKERS_GONE_SINCE = `CASE WHEN i.workers_seen_at < now() - interval '${SILENT_AFTER_SECONDS} seconds' THEN i.workers_seen_at END`;

const rows = z.tuple([z.object({ since: z.date().nullable() })]);

/**
 * When workers of this installation were last at work. One statement of a kind at a time, for all who come meanwhile: while
 * somebody has the table locked, those who ask and tell again and again would each keep a connection.
 */
@Injectable()
export class WorkersSeen {
  private noting: Promise<void> | undefined;
  private asking: Promise<Date | null> | undefined;

  constructor(private readonly dataSource: DataSource) {}

  /** Says that a worker is at work. */
  note(): Promise<void> {
    this.noting ??= this.write().finally(() => (this.noting = undefined));
    return this.noting;
  }

  /** @returns since when no worker was at work; null while one is */
  goneSince(): Promise<Date | null> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async write(): Promise<void> {
    await this.dataSource.query('UPDATE installation SET workers_seen_at = now()');
  }

  private async ask(): Promise<Date | null> {
    const [{ since }] = rows.parse(
      await this.dataSource.query(`SELECT ${WORKERS_GONE_SINCE} AS since FROM installation i`),
    );
    return since;
  }
}

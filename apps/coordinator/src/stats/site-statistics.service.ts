import { Inject, Injectable } from '@nestjs/common';
import type { SiteStats } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { CONFIG, type Config } from '../config/index.js';
import { SwarmCopies } from '../tracker/index.js';
import { SharedAnswers } from './shared-answers.js';

/** The live rate is a mean over this long: shorter jumps with every unit, longer hides that volunteers left. */
const WINDOW_SECONDS = 300;
const FRESHNESS_MS = 2_000;

const count = z.coerce.number().int();
const statsRow = z.object({
  cycles: z.string(),
  tasks: count,
  accounts: count,
  hosts: count,
  busy_hosts: count,
  running_tasks: count,
  running_jobs: count,
  lately_cycles: z.string(),
  lately_tasks: count,
});

const STATS_SQL = `
  SELECT total.cycles, total.tasks, total.accounts, (SELECT count(*) FROM host_standing WHERE cycles > 0) AS hosts,
         held.hosts AS busy_hosts, held.tasks AS running_tasks,
         (SELECT count(*) FROM job WHERE state = 'running') AS running_jobs,
         trunc(coalesce(lately.cycles, 0) / ${WINDOW_SECONDS})::text AS lately_cycles, lately.tasks AS lately_tasks
    FROM (SELECT trunc(coalesce(sum(cycles), 0))::text AS cycles, coalesce(sum(tasks), 0) AS tasks, count(*) AS accounts
            FROM account_credit WHERE cycles > 0) total,
         (SELECT count(DISTINCT host_id) AS hosts, count(*) AS tasks FROM lease) held,
         (SELECT greatest(sum(cycles), 0) AS cycles, count(*) AS tasks FROM credit_entry
           WHERE granted_at > now() - interval '${WINDOW_SECONDS} seconds') lately`;

@Injectable()
export class SiteStatistics {
  private readonly answers = new SharedAnswers<SiteStats>(1, FRESHNESS_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly swarm: SwarmCopies,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** At most {@link FRESHNESS_MS} old. */
  get(): Promise<SiteStats> {
    return this.answers.get('', () => this.load());
  }

  private async load(): Promise<SiteStats> {
    const [row] = z.tuple([statsRow]).parse(await this.dataSource.query(STATS_SQL));
    return {
      name: this.config.name,
      at: new Date().toISOString(),
      totals: {
        cycles: row.cycles,
        tasks: row.tasks,
        accounts: row.accounts,
        hosts: row.hosts,
        savedBytes: await this.swarm.savedBytes(),
      },
      now: {
        hosts: row.busy_hosts,
        tasks: row.running_tasks,
        runningJobs: row.running_jobs,
        cyclesPerSecond: row.lately_cycles,
        validatedTasks: row.lately_tasks,
        windowSeconds: WINDOW_SECONDS,
      },
    };
  }
}

import { BoardKeeper } from '@gleaner/coordinator';
import { expect } from 'vitest';
import {
  aPerson,
  createTestApplication,
  honestResult,
  seedJob,
  TestHost,
  type TestApplication,
  type TestPerson,
  testRedisUrl,
} from '../support/index.js';

/** What each unit that people compute here is worth. */
export const UNIT_CYCLES = 123_456;
/** Far above the time in which work reaches a host that asks for it every tenth of a second. */
const TRIES = 600;

/** An application in which people compute the jobs of a scientist. */
export class Community {
  private constructor(
    readonly gleaner: TestApplication,
    private readonly scientist: TestPerson,
  ) {}

  static async start(): Promise<Community> {
    const gleaner = await createTestApplication({
      redis: testRedisUrl() !== null,
      env: { GLEANER_ALLOW_SAME_NETWORK: '1' },
    });
    return new Community(gleaner, await aPerson(gleaner, { name: 'scientist' }));
  }

  async aHost(person: TestPerson): Promise<TestHost> {
    return await TestHost.attach(this.gleaner.url, { token: person.token });
  }

  /** The only job that runs, of `units` units. */
  async aJob(units: number): Promise<{ readonly jobId: number; readonly scientist: TestPerson }> {
    const { dataSource } = this.gleaner;
    await dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
    const { jobId } = await seedJob(dataSource, { units, accountId: this.scientist.account.id });
    return { jobId, scientist: this.scientist };
  }

  /** All of them compute every unit of a new job, until their results are credited. */
  async computeTogether(units: number, ...volunteers: Array<TestPerson | TestHost>): Promise<void> {
    const { jobId } = await this.aJob(units);
    for (const volunteer of volunteers) {
      const host = volunteer instanceof TestHost ? volunteer : await this.aHost(volunteer);
      for (let done = 0; done < units;) {
        const { tasks } = await host.ask(units, undefined, TRIES);
        expect(tasks.length).toBeGreaterThan(0);
        await host.report(...tasks.map((task) => honestResult(task)));
        done += tasks.length;
      }
    }
    const valid = "SELECT count(*)::int AS n FROM work_unit WHERE job_id = $1 AND state = 'valid'";
    await expect.poll(() => this.gleaner.dataSource.query(valid, [jobId])).toEqual([{ n: units }]);
  }

  /** Holds every total and every row of the boards against what the ledger says of that very account, host or team. */
  async expectToReconcile(): Promise<void> {
    await this.gleaner.app.get(BoardKeeper).reconcile();
    expect(await this.gleaner.dataSource.query(MISATTRIBUTED)).toEqual([]);
    for (const { kind, total, entries } of await this.gleaner.dataSource.query<SumRow[]>(SUMS)) {
      expect({ kind, total }).toEqual({ kind, total: entries });
    }
  }
}

interface SumRow {
  readonly kind: string;
  readonly total: string;
  readonly entries: string;
}

function differences(what: string, entries: string, totals: string): string {
  return `SELECT '${what}' AS what, id, e.cycles AS earned, t.cycles AS shown FROM (${entries}) e FULL JOIN (${totals}) t USING (id)
           WHERE coalesce(e.cycles, 0) <> coalesce(t.cycles, 0)`;
}

function entriesBy(column: string): string {
  return `SELECT ${column} AS id, sum(cycles) AS cycles FROM credit_entry WHERE ${column} IS NOT NULL GROUP BY 1`;
}

function board(kind: string): string {
  return `SELECT id, cycles FROM board_entry WHERE kind = '${kind}'`;
}

const ENTRIES_BY_PERSON = `
  SELECT coalesce(a.person_id, a.id) AS id, sum(e.cycles) AS cycles
    FROM credit_entry e JOIN account a ON a.id = e.account_id GROUP BY 1`;

const MISATTRIBUTED = [
  differences('account', entriesBy('account_id'), 'SELECT account_id AS id, cycles FROM account_credit'),
  differences('host', entriesBy('host_id'), 'SELECT host_id AS id, cycles FROM host_standing'),
  differences('team', entriesBy('team_id'), 'SELECT team_id AS id, cycles FROM team_credit'),
  differences('board of accounts', ENTRIES_BY_PERSON, board('accounts')),
  differences('board of hosts', entriesBy('host_id'), board('hosts')),
  differences('board of teams', entriesBy('team_id'), board('teams')),
].join(' UNION ALL ');

const SUMS = [
  ['accounts', 'account_credit', 'true'],
  ['board of accounts', "board_entry WHERE kind = 'accounts'", 'true'],
  ['board of hosts', "board_entry WHERE kind = 'hosts'", 'true'],
  ['teams', 'team_credit', 'team_id IS NOT NULL'],
  ['board of teams', "board_entry WHERE kind = 'teams'", 'team_id IS NOT NULL'],
]
  .map(
    ([kind, totals, condition]) =>
      `SELECT '${kind}' AS kind, (SELECT sum(cycles) FROM ${totals})::text AS total,
              (SELECT sum(cycles) FROM credit_entry WHERE ${condition})::text AS entries`,
  )
  .join(' UNION ALL ');

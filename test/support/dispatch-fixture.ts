import { SweepService } from '@gleaner/coordinator';
import type { TaskAssignment, UnitState } from '@gleaner/protocol';
import { expect, vi } from 'vitest';
import { createTestApplication, type TestApplication, type TestApplicationOptions } from './application.js';
import { Rival } from './rival.js';
import { type JobSeed, type SeededJob, seedJob } from './seed-job.js';
import { createVolunteer, send, TestHost } from './test-host.js';
import { honestResult } from './test-results.js';
import { testRedisUrl } from './test-redis.js';

/** An account with a token that attaches hosts and submits. */
export interface Person {
  readonly accountId: string;
  readonly token: string;
}

export interface HostOptions {
  /** Whose it is: a new person's unless given, nobody's where null. */
  readonly of?: Person | null;
  /** On a network of its own unless given. */
  readonly address?: string;
  readonly kind?: 'agent' | 'browser';
}

/** Far above what takes longest: what a sweep finds. */
const SETTLES = { timeout: 60_000 };

/**
 * A coordinator whose jobs begin with units that are ready, and volunteers that speak the protocol: where tests of
 * dispatch, validation and credit start. Every host pretends to be on a network of its own, as a trusted proxy would tell.
 */
export class DispatchFixture {
  #networks = 0;
  #people = 0;

  private constructor(
    readonly gleaner: TestApplication,
    readonly scientist: Person,
  ) {}

  static async start(
    env: Readonly<Record<string, string>> = {},
    { logger }: Pick<TestApplicationOptions, 'logger'> = {},
  ): Promise<DispatchFixture> {
    const gleaner = await createTestApplication({
      redis: testRedisUrl() !== null,
      env: { GLEANER_TRUST_PROXY: '1', ...env },
      ...(logger && { logger }),
    });
    const scientist = await createVolunteer(gleaner.url, gleaner.operatorToken, 'scientist');
    return new DispatchFixture(gleaner, scientist);
  }

  close(): Promise<void> {
    return this.gleaner.close();
  }

  /** Rows of the coordinator's own database. */
  query<Row extends object>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.gleaner.dataSource.query<Row[]>(statement, [...values]);
  }

  /** An address on a /24 that nobody else is on. */
  anAddress(): string {
    this.#networks += 1;
    return `198.${18 + Math.floor(this.#networks / 256)}.${this.#networks % 256}.9`;
  }

  aPerson(): Promise<Person> {
    this.#people += 1;
    const { url, operatorToken } = this.gleaner;
    return createVolunteer(url, operatorToken, `person ${this.#people}`);
  }

  async aHost({ of, address = this.anAddress(), kind = 'agent' }: HostOptions = {}): Promise<TestHost> {
    const { url } = this.gleaner;
    if (of === null) return TestHost.attach(url, { address, kind });
    const { token } = of ?? (await this.aPerson());
    return TestHost.attach(url, { address, kind, token });
  }

  /** A job of one unit, the scientist's, unless told otherwise: the only running one, so that nobody gets others' units. */
  async aJob(seed: Partial<JobSeed> = {}): Promise<SeededJob> {
    await this.query(
      "UPDATE job SET state = 'paused' WHERE state IN ('splitting', 'running', 'assimilating')",
    );
    return seedJob(this.gleaner.dataSource, { units: 1, accountId: this.scientist.accountId, ...seed });
  }

  async aTask(host: TestHost): Promise<TaskAssignment> {
    const { tasks, noWork } = await host.ask();
    if (!tasks[0]) throw new Error(`no task: ${JSON.stringify(noWork)}`);
    return tasks[0];
  }

  /** Each takes a task and reports the honest result. */
  async contribute(...hosts: readonly TestHost[]): Promise<void> {
    for (const host of hosts) {
      const { reports } = await host.report(honestResult(await this.aTask(host)));
      expect(reports).toMatchObject([{ status: 'accepted' }]);
    }
  }

  /** Asks until the answer names this reason, as it does once the tickets have arrived; nothing must come meanwhile. */
  async expectNothingFor(host: TestHost, code: string): Promise<void> {
    await expect
      .poll(async () => {
        const { tasks, noWork } = await host.ask(1, 4096, 1);
        return [tasks, noWork.map((reason) => reason.code)];
      }, SETTLES)
      .toEqual([[], expect.arrayContaining([code])]);
  }

  /** The states of the job's units, each once. */
  async unitStates({ jobId }: Pick<SeededJob, 'jobId'>): Promise<UnitState[]> {
    const rows = await this.query<{ state: UnitState }>(
      'SELECT DISTINCT state FROM work_unit WHERE job_id = $1',
      [jobId],
    );
    return rows.map(({ state }) => state);
  }

  /** Sooner or later that is the state of all its units. */
  async becomes(job: Pick<SeededJob, 'jobId'>, state: UnitState): Promise<void> {
    await vi.waitFor(async () => expect(await this.unitStates(job)).toEqual([state]), {
      ...SETTLES,
      interval: 50,
    });
  }

  /** What the hosts' accounts have, checked against the sums of the ledger. */
  async creditOf(...hosts: readonly TestHost[]): Promise<string[]> {
    const rows = await this.query<{ id: string; total: string; entries: string }>(
      `SELECT a.id, coalesce(c.cycles, 0)::text AS total,
              (SELECT coalesce(sum(e.cycles), 0) FROM credit_entry e WHERE e.account_id = a.id)::text AS entries
         FROM account a LEFT JOIN account_credit c ON c.account_id = a.id`,
    );
    for (const { total, entries } of rows) expect(total).toBe(entries);
    const totals = new Map(rows.map(({ id, total }) => [id, total]));
    return hosts.map(({ attached }) => totals.get(attached.accountId) ?? '0');
  }

  /** Sooner or later that is what the hosts' accounts have. */
  async earns(hosts: readonly TestHost[], credit: readonly string[]): Promise<void> {
    await expect.poll(() => this.creditOf(...hosts), SETTLES).toEqual(credit);
  }

  /** The anonymous host's work becomes that person's. */
  async claim({ token }: Person, anonymous: TestHost): Promise<void> {
    const body = { secret: anonymous.attached.secret };
    await send(this.gleaner.url, 'POST', '/v1/accounts/me/claims', { token, body });
  }

  /** Somebody else in the coordinator's own database, who has something locked. */
  rivalHolding(lock: string, parameters: readonly unknown[] = []): Promise<Rival> {
    return Rival.holding(this.gleaner.dataSource, lock, parameters);
  }

  /** What a coordinator does by itself every 10 s. */
  sweep(): Promise<void> {
    return this.gleaner.app.get(SweepService).sweep();
  }

  /** As if the deadline of the unit's tasks had passed. */
  async endLeases({ firstUnitId }: SeededJob): Promise<void> {
    await this.query("UPDATE lease SET expires_at = now() - interval '1 second' WHERE unit_id = $1", [
      firstUnitId,
    ]);
  }
}

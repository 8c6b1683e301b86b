import { allowanceAfterSql, hotPool, saveDecided, UnitReader, ValidationService } from '@gleaner/coordinator';
import { allowanceAfter, maxAllowancePerDay, transitionUnit } from '@gleaner/domain';
import { parseTaskId } from '@gleaner/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture, honestResult } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

/** Decisions that wait for a host's row, or are next to have it. */
const JUDGING = `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE d.datname = current_database() AND l.locktype = 'tuple' AND l.relation = 'host_standing'::regclass`;

describe('what a host may take in a day', () => {
  it('is doubled by each valid result, also by those that are judged at the same moment', async () => {
    await dispatch.aJob({ units: 2, replication: { quorum: 1 } });
    const host = await dispatch.aHost();
    const tasks = [await dispatch.aTask(host), await dispatch.aTask(host)];
    const allowance = async (): Promise<number | undefined> => {
      const rows = await dispatch.query<{ per_day: number; valid: number }>(
        'SELECT allowance_per_day AS per_day, valid_tasks::int AS valid FROM host_standing WHERE host_id = $1',
        [host.attached.hostId],
      );
      return rows[0]?.valid === 0 || rows[0]?.valid === 2 ? rows[0].per_day : undefined;
    };
    const before = (await allowance()) ?? Number.NaN;
    const validation = dispatch.gleaner.app.get(ValidationService);
    await using rival = await dispatch.rivalHolding(
      'SELECT FROM host_standing WHERE host_id = $1 FOR UPDATE',
      [host.attached.hostId],
    );
    const judging: Array<Promise<void>> = [];
    for (const [at, task] of tasks.entries()) {
      expect((await host.report(honestResult(task))).reports).toMatchObject([{ status: 'accepted' }]);
      // As another coordinator does.
      judging.push(validation.examine([parseTaskId(task.taskId).unitId]));
      await expect.poll(() => dispatch.query(JUDGING)).toHaveLength(at + 1);
    }
    await rival.commit();
    await Promise.all(judging);
    await expect.poll(allowance).toBe(4 * before);
  });

  it('follows the rule of the domain', async () => {
    const rules = { initialPerCore: 1, maxPerCore: 1_000_000 };
    const cases = fc.sample(
      fc.record({
        perDay: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
        valid: fc.oneof(fc.nat(4), fc.nat(100)),
        invalid: fc.oneof(fc.nat(4), fc.nat(100)),
        cores: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 4096 })),
      }),
      500,
    );
    const column = (of: (one: (typeof cases)[number]) => number): number[] => cases.map(of);
    const after = allowanceAfterSql({
      perDay: 'c.per_day',
      valid: 'c.valid',
      invalid: 'c.invalid',
      maxPerDay: 'c.max_per_day',
    });
    const rows = await dispatch.query<{ after: number }>(
      `SELECT ${after} AS after
         FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::integer[]) WITH ORDINALITY
                AS c(per_day, valid, invalid, max_per_day, n) ORDER BY n`,
      [
        column(({ perDay }) => perDay),
        column(({ valid }) => valid),
        column(({ invalid }) => invalid),
        column(({ cores }) => maxAllowancePerDay(cores, rules)),
      ],
    );
    expect(rows.map((row) => row.after)).toEqual(
      cases.map(({ perDay, cores, ...judged }) => allowanceAfter(perDay, judged, cores, rules)),
    );
  });

  it.each([
    ['valid', 'invalid', 1 / 2],
    ['invalid', 'valid', 2],
  ] as const)(
    'follows the later word alone on a task that was %s and is %s after all',
    async (before, after, times) => {
      const job = await dispatch.aJob();
      const hosts = [await dispatch.aHost(), await dispatch.aHost()];
      await dispatch.contribute(...hosts);
      await dispatch.becomes(job, 'valid');
      await dispatch.query('UPDATE task SET state = $2 WHERE unit_id = $1', [job.firstUnitId, before]);
      const { app, config, dataSource } = dispatch.gleaner;
      const loaded = await app.get(UnitReader).load([job.firstUnitId]);
      const [unit] = loaded.units;
      const [task] = unit?.view.tasks ?? [];
      if (!unit || !task) throw new Error('the unit is gone');
      const { decision } = transitionUnit(unit.view, { kind: 'examined' }, unit.rules, Date.now());
      const revised = { ...decision, tasks: [{ ordinal: task.ordinal, state: after, counts: task.counts }] };
      const allowance = 'SELECT allowance_per_day AS per_day FROM host_standing WHERE host_id = $1';
      const [was] = await dispatch.query<{ per_day: number }>(allowance, [task.hostId]);
      await saveDecided(hotPool(dataSource), [{ unit, decision: revised }], loaded, config.allowance);
      expect(await dispatch.query(allowance, [task.hostId])).toEqual([
        { per_day: (was?.per_day ?? 0) * times },
      ]);
    },
  );
});

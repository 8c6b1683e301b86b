import {
  checkReport,
  type CheckedReport,
  hotPool,
  runReports,
  saveDecided,
  UnitReader,
} from '@gleaner/coordinator';
import { transitionUnit } from '@gleaner/domain';
import type { ResultReport } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DispatchFixture, honestResult, resultWithout, type TestHost } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

function checked(report: ResultReport, host: TestHost): CheckedReport {
  const check = checkReport(report, host.attached.accountId);
  if (!check.ok) throw new Error(check.reason);
  return check.report;
}

describe('reports and decisions that do not see each other', () => {
  it('one of two results that are stored at the same moment calls for a look at the unit', async () => {
    await dispatch.aJob();
    const hosts = [await dispatch.aHost(), await dispatch.aHost()];
    const calls: boolean[] = [];
    const connections = await Promise.all(hosts.map(() => hotPool(dispatch.gleaner.dataSource).connect()));
    try {
      for (const [at, host] of hosts.entries()) {
        await connections[at]!.query('BEGIN');
        const report = checked(honestResult(await dispatch.aTask(host)), host);
        const [row] = await runReports(connections[at]!, [report]);
        expect(row).toMatchObject({ stored: true });
        calls.push(row?.unit_may_change ?? false);
      }
    } finally {
      for (const connection of connections) {
        await connection.query('COMMIT');
        connection.release();
      }
    }
    expect(calls).toEqual([false, true]);
  });

  it('a result that nobody could compute calls for a look at once', async () => {
    await dispatch.aJob();
    const host = await dispatch.aHost();
    const report = checked(resultWithout(await dispatch.aTask(host), { outcome: 'infrastructure' }), host);
    const [row] = await runReports(hotPool(dispatch.gleaner.dataSource), [report]);
    expect(row).toMatchObject({ stored: true, unit_may_change: true });
  });

  it('a result that comes while its unit is decided on keeps the decision from being whole', async () => {
    const job = await dispatch.aJob({ units: 2 });
    const host = await dispatch.aHost();
    const task = await dispatch.aTask(host);
    const { app, config, dataSource } = dispatch.gleaner;
    const loaded = await app.get(UnitReader).load([job.firstUnitId, job.lastUnitId], false);
    const decided = loaded.units.map((unit) => ({
      unit,
      decision: transitionUnit(unit.view, { kind: 'cancelled' }, unit.rules, Date.now()).decision,
    }));
    await host.report(honestResult(task));
    const saved = await saveDecided(hotPool(dataSource), decided, loaded, config.allowance);
    expect(saved).toMatchObject({ unitIds: new Set([job.firstUnitId, job.lastUnitId]), isWhole: false });
  });
});

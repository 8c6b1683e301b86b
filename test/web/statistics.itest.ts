import { StatisticsKeeper } from '@gleaner/coordinator';
import { auditPage, statisticsHistory } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, operatorOf, type TestApplication } from '../support/index.js';
import { buildWebsite, chromiumOrWarn, openBrowser } from './browser.js';

const chromiumPath = chromiumOrWarn();
const CHARTS = 5;

type Row = Readonly<Record<string, unknown>>;

describe('statistics', () => {
  let gleaner: TestApplication;
  let keeper: StatisticsKeeper;
  beforeAll(async () => {
    gleaner = await createTestApplication();
    keeper = gleaner.app.get(StatisticsKeeper);
  });
  afterAll(() => gleaner.close());

  const buckets = (): Promise<Row[]> =>
    gleaner.dataSource.query<Row[]>(
      `SELECT grain, starts_at, cycles, tasks, units, hosts FROM statistics_bucket ORDER BY grain, starts_at`,
    );
  const query = (sql: string, parameters: unknown[] = []): Promise<Row[]> =>
    gleaner.dataSource.query<Row[]>(sql, parameters);

  /** Two days of credit: units of two tasks, some of whose entries come in another hour, some taken back again. */
  async function aLedger(): Promise<void> {
    await query(`
      INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, granted_at)
      SELECT n / 2, n % 2, 1 + n % 7, 1 + n % 13, 1000 + n,
             '2026-03-01T22:10:00Z'::timestamptz + n * interval '97 seconds' + (n % 2) * interval '30 minutes'
        FROM generate_series(0, 999) n`);
    await query(`
      INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, granted_at, sequence)
      SELECT unit_id, ordinal, account_id, host_id, -cycles, granted_at + interval '3 hours', 1
        FROM credit_entry WHERE unit_id % 50 = 7`);
  }

  it('are the same counted slice by slice and counted again from the ledger', async () => {
    await aLedger();
    await query("UPDATE statistics_cursor SET counted_to = '2026-03-01T00:00:00Z', closed_to = '2026-03-01'");
    // The queue job counts too; whoever comes first, each slice is added once.
    for (const upTo of ['2026-03-01T22:47:11Z', '2026-03-02T03:00:00Z', '2026-03-02T03:00:01Z']) {
      await keeper.count(new Date(upTo));
    }
    const end = new Date('2026-03-04T01:00:00Z');
    await Promise.all([keeper.count(end), keeper.count(end), keeper.count(end)]);
    const counted = await buckets();
    expect(sumOf(counted, 'hour', 'cycles')).toBe(await ledgerSum());
    expect(sumOf(counted, 'day', 'units')).toBe(500);
    expect(sumOf(counted, 'hour', 'units')).toBe(500);
    expect(counted.filter(({ grain }) => grain === 'day').map(({ hosts }) => hosts)).toEqual([
      '13',
      '13',
      '13',
    ]);

    for (const day of ['2026-03-01', '2026-03-02', '2026-03-03']) await keeper.recount(day);
    expect(await buckets()).toEqual(counted);
    await keeper.closeDays();
    expect(await buckets()).toEqual(counted);
    expect(await query('SELECT count(*)::int AS n FROM statistics_host')).toEqual([{ n: 0 }]);
  });

  it('are counted again when an operator asks for it, as are the boards, and nobody else may', async () => {
    const operator = operatorOf(gleaner);
    const { account: person, ...volunteer } = await aPerson(gleaner);
    const counted = await buckets();
    await query(
      "UPDATE statistics_bucket SET cycles = cycles + 5 WHERE starts_at >= '2026-03-02' AND starts_at < '2026-03-03'",
    );
    await operator.post('/v1/operator/statistics/recount', { day: '2026-03-02' }).expect(204);
    expect(await buckets()).toEqual(counted);
    await query("INSERT INTO board_entry SELECT 'accounts', $1, 7, 1, 7, now(), 7, now(), 7, now(), 7", [
      person.id,
    ]);
    await operator.post('/v1/operator/boards/rebuild', {}).expect(202);
    // The ledger's accounts are called by small numbers, as this one is.
    const earned = await query('SELECT sum(cycles) AS cycles FROM credit_entry WHERE account_id = $1', [
      person.id,
    ]);
    const row = "SELECT cycles FROM board_entry WHERE kind = 'accounts' AND id = $1";
    await expect.poll(() => query(row, [person.id])).toEqual(earned);
    const { items } = auditPage.parse((await operator.get('/v1/operator/audit').expect(200)).body);
    expect(items.slice(0, 2)).toMatchObject([
      { action: 'boards.rebuild' },
      { action: 'statistics.recount', subject: 'day 2026-03-02' },
    ]);
    await volunteer.post('/v1/operator/statistics/recount', { day: '2026-03-02' }).expect(403);
    await volunteer.post('/v1/operator/boards/rebuild', {}).expect(403);
    const wrong = await operator.post('/v1/operator/statistics/recount', { day: '2026-02-30' }).expect(400);
    expect(wrong.body).toMatchObject({ errors: [{ pointer: '/day' }] });
  });

  it('count again what a slow transaction had hidden', async () => {
    const before = sumOf(await buckets(), 'day', 'tasks');
    await query(`INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, granted_at)
                 VALUES (9000, 0, 1, 99, 5, '2026-03-02T10:00:00Z')`);
    await keeper.count();
    expect(sumOf(await buckets(), 'day', 'tasks')).toBe(before);
    await keeper.recount('2026-03-02');
    expect(sumOf(await buckets(), 'day', 'tasks')).toBe(before + 1);
    expect(sumOf(await buckets(), 'hour', 'tasks')).toBe(before + 1);
  });

  it('are served for every hour, also for those in which nothing was earned', async () => {
    await query(`INSERT INTO statistics_bucket (grain, starts_at, cycles, tasks, units, hosts)
                 VALUES ('hour', date_trunc('hour', now() - interval '2 hours', 'UTC'), 12345678901234567890123, 4, 2, 3)`);
    const answer = await gleaner.http.get('/v1/stats/history?grain=hour&points=24').expect(200);
    const { points } = statisticsHistory.parse(answer.body);
    expect(points).toHaveLength(24);
    expect(points.find(({ tasks }) => tasks > 0)).toMatchObject({
      cycles: '12345678901234567890123',
      units: 2,
    });
    expect(points.at(-1)).toMatchObject({ cycles: '0', tasks: 0 });
    await gleaner.http.get('/v1/stats/history?grain=minute').expect(400);
    await gleaner.http.get('/v1/stats/history?points=1000000').expect(400);
  });

  it.skipIf(chromiumPath === null)('have days of UTC under their bars, wherever the reader is', async () => {
    buildWebsite();
    const browser = await openBrowser(chromiumPath ?? '');
    /** What the axes of time say, and where, once every chart has one. */
    const axisIn = async (timezoneId: string, path: string): Promise<string[]> => {
      const context = await browser.newContext({ timezoneId });
      const page = await context.newPage();
      await page.addInitScript(rememberTexts);
      await page.goto(gleaner.url + path);
      let labels: Text[] = [];
      await expect
        .poll(async () => {
          const texts = await page.evaluate(() => Reflect.get(globalThis, 'textsOfTheTest') as Text[]);
          labels = texts.filter(({ isBelow }) => isBelow);
          return new Set(labels.map(({ canvas }) => canvas)).size;
        })
        .toBeGreaterThanOrEqual(CHARTS);
      await context.close();
      return [...new Set(labels.map(({ width, text, x }) => `${width} ${x} ${text}`))].toSorted();
    };
    try {
      const days = await axisIn('Etc/UTC', '/statistics?grain=day');
      expect(days).not.toEqual([]);
      expect(await axisIn('Pacific/Auckland', '/statistics?grain=day')).toEqual(days);
      expect(await axisIn('America/Los_Angeles', '/statistics?grain=day')).toEqual(days);
      // Hours are the reader's own.
      expect(await axisIn('Asia/Kathmandu', '/statistics')).not.toEqual(
        await axisIn('Etc/UTC', '/statistics'),
      );
    } finally {
      await browser.close();
    }
  });

  async function ledgerSum(): Promise<number> {
    const [row] = await query('SELECT sum(cycles) AS sum FROM credit_entry');
    return Number(row?.['sum']);
  }
});

interface Text {
  readonly text: string;
  readonly x: number;
  /** Which of the page's, and how wide it is. */
  readonly canvas: number;
  readonly width: number;
  /** On the axis of time. */
  readonly isBelow: boolean;
}

/** Runs in the page, before its scripts: what is written on canvases, and where. */
function rememberTexts(): void {
  const AXIS_PIXELS = 30;
  const texts: Text[] = [];
  const canvases = new Set<HTMLCanvasElement>();
  Object.assign(globalThis, { textsOfTheTest: texts });
  const context = CanvasRenderingContext2D.prototype;
  const write = Reflect.get(context, 'fillText');
  context.fillText = function remembering(text, x, y) {
    canvases.add(this.canvas);
    const isBelow = y > this.canvas.height - AXIS_PIXELS;
    texts.push({
      text,
      x: Math.round(x),
      isBelow,
      canvas: [...canvases].indexOf(this.canvas),
      width: this.canvas.width,
    });
    write.call(this, text, x, y);
  };
}

function sumOf(rows: readonly Row[], grain: string, column: string): number {
  return rows.filter((row) => row['grain'] === grain).reduce((sum, row) => sum + Number(row[column]), 0);
}

import type { PreparedStatement, Queryable } from '../database/index.js';

/** Units that one statement looks through. */
const UNITS_PER_PAGE = 20_000;
const UNITS_PER_BATCH = 500;

export interface UnitPage {
  /** Where the next page begins; null behind the last unit. */
  readonly last_id: string | null;
  readonly found: readonly string[] | null;
}

/**
 * SQL of a page: of the units of job `$1` behind unit `$2`, those that have tasks `t` as `which` says, which may use `$3`.
 * Tasks have no index by account or host, since they are hardly ever looked for by these. OFFSET keeps them from being joined
 * otherwise than unit by unit: where partitions are many, the planner would rather read the tasks of all jobs.
 */
export function unitsWithTasks(which: string): string {
  return `
    WITH page AS MATERIALIZED (
      SELECT id FROM work_unit WHERE job_id = $1 AND id > $2 ORDER BY job_id, id LIMIT ${UNITS_PER_PAGE}
    )
    SELECT (SELECT max(id) FROM page) AS last_id, array_agg(unit_id ORDER BY unit_id) AS found FROM (
      SELECT t.unit_id FROM page CROSS JOIN LATERAL (SELECT * FROM task WHERE task.unit_id = page.id OFFSET 0) t
       WHERE ${which}) found`;
}

/** Looks through the jobs that `which` names, one after the other, see {@link workThrough}. @returns units found */
export async function workThroughJobs(
  pool: Queryable,
  which: string,
  statement: PreparedStatement<UnitPage>,
  of: { readonly by: string; readonly signal: AbortSignal | undefined },
  work: (unitIds: readonly number[]) => Promise<void>,
): Promise<number> {
  const { rows } = await pool.query<{ id: string }>(`SELECT id FROM job WHERE ${which} ORDER BY id`);
  let units = 0;
  for (const { id: jobId } of rows) units += await workThrough(pool, statement, { ...of, jobId }, work);
  return units;
}

/** Looks through a job page by page, and works on what is found in batches. */
async function workThrough(
  pool: Queryable,
  statement: PreparedStatement<UnitPage>,
  of: { readonly jobId: string; readonly by: string; readonly signal: AbortSignal | undefined },
  work: (unitIds: readonly number[]) => Promise<void>,
): Promise<number> {
  let units = 0;
  let after = '0';
  while (!of.signal?.aborted) {
    const [page] = await statement.run(pool, [of.jobId, after, of.by]);
    if (!page || page.last_id === null) break;
    const found = (page.found ?? []).map(Number);
    await inBatches(found, work);
    units += found.length;
    after = page.last_id;
  }
  return units;
}

export async function inBatches(
  unitIds: readonly number[],
  work: (batch: readonly number[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < unitIds.length; at += UNITS_PER_BATCH)
    await work(unitIds.slice(at, at + UNITS_PER_BATCH));
}

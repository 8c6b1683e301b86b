import { independentParties } from '@gleaner/domain';
import { honestReport, kindOf, type JobKind } from './science.js';
import type { Accepted } from './volunteer.js';
import type { World } from './world.js';

interface JobRow {
  readonly id: string;
  readonly name: string;
  readonly quorum: number;
  readonly state: 'completed' | 'failed';
}

interface UnitRow {
  readonly unit_id: string;
  readonly n: number;
  readonly state: string;
  readonly ordinal: number | null;
  readonly digest: string | null;
}

/** Each ended job has all its units, no wrong result where anybody had to confirm it, and the answer that follows from them. */
export async function checkAnswers(world: World, accepted: Accepted): Promise<void> {
  const jobs = await world.query<JobRow>(
    `SELECT id, name, quorum, state FROM job WHERE deleted_at IS NULL AND state IN ('completed', 'failed') ORDER BY id`,
  );
  for (const job of jobs) {
    const kind = kindOf(job.name);
    const units = await world.query<UnitRow>(
      `SELECT u.id AS unit_id, u.index_in_job::integer AS n, u.state, u.canonical_ordinal AS ordinal,
              encode(t.digest, 'hex') AS digest
         FROM work_unit u LEFT JOIN task t ON t.unit_id = u.id AND t.ordinal = u.canonical_ordinal
        WHERE u.job_id = $1 ORDER BY u.id`,
      [job.id],
    );
    const valid = units.filter(({ state }) => state === 'valid');
    const title = `job ${job.id} (${job.name})`;
    if (units.length !== kind.units) world.fault(`${title} has ${units.length} units`);
    if ((valid.length === 0) !== (job.state === 'failed'))
      world.fault(`${title} is ${job.state} with ${valid.length} valid units`);
    if (job.quorum > 1) for (const unit of valid) checkResult(world, kind, unit);
    if (job.state === 'completed') await checkAnswer(world, job, expectedAnswer(kind, job, valid, accepted));
  }
}

function checkResult(world: World, kind: JobKind, { unit_id: unitId, n, digest }: UnitRow): void {
  if (honestReport({ taskId: `${unitId}.0`, kind, n }).digest !== digest)
    world.fault(`unit ${unitId} of ${kind.name} is valid with a wrong result`);
}

/** With quorum 1 whatever its only host said. What it kept back until it was asked is honest. */
function expectedAnswer(
  kind: JobKind,
  { quorum }: JobRow,
  valid: readonly UnitRow[],
  accepted: Accepted,
): string {
  if (quorum > 1) return kind.answerOf(valid.map(({ n }) => n));
  const texts = valid.map(({ unit_id: unitId, ordinal, n }) => {
    const base64 = accepted.get(`${unitId}.${ordinal}`)?.outputs[0]?.base64;
    return base64 === undefined ? kind.textOf(n) : Buffer.from(base64, 'base64').toString();
  });
  return texts.join('');
}

async function checkAnswer(world: World, { id, name }: JobRow, expected: string): Promise<void> {
  const token = world.tokenOf('operator');
  const { status, text } = await world.call('GET', `/v1/jobs/${id}/output`, { token });
  if (status !== 200 || text !== expected)
    world.fault(`job ${id} (${name}) answers ${status} ${JSON.stringify([text, expected])}`);
}

interface WitnessRow {
  readonly unit_id: string;
  readonly name: string;
  readonly quorum: number;
  readonly distinct_by: 'account' | 'host';
  readonly account_id: string;
  readonly person_id: string;
  readonly host_id: string;
  readonly anonymous: boolean;
  readonly network: string | null;
  readonly linked_late: boolean;
}

/** Who agreed on a unit's result were as many independent volunteers as its job asks for. */
export async function checkQuorums(world: World): Promise<void> {
  const rows = await world.query<WitnessRow>(
    `SELECT t.unit_id, j.name, j.quorum, j.distinct_by, t.account_id, coalesce(a.person_id, a.id) AS person_id, t.host_id,
            t.anonymous, t.network, EXISTS (
              SELECT FROM link_review r WHERE t.account_id = ANY (r.account_ids) AND j.finished_at < r.reviewed_at) AS linked_late
       FROM work_unit u JOIN job j ON j.id = u.job_id
       JOIN task c ON c.unit_id = u.id AND c.ordinal = u.canonical_ordinal
       JOIN task t ON t.unit_id = u.id AND t.counts AND t.state = 'valid' AND t.digest = c.digest
       JOIN account a ON a.id = t.account_id
      WHERE u.state IN ('valid', 'failed')`,
  );
  for (const [unitId, witnesses] of Map.groupBy(rows, (row) => row.unit_id)) {
    const [first] = witnesses;
    if (!first) continue;
    // Accounts that were linked when the job had ended: its answer stays.
    const isOld = witnesses.some((witness) => witness.linked_late);
    const parties = witnesses.map((witness) => ({
      accountId: witness.account_id,
      personId: isOld ? witness.account_id : witness.person_id,
      hostId: witness.host_id,
      anonymous: witness.anonymous,
      network: witness.network,
    }));
    const rules = { distinct: first.distinct_by, allowSameNetwork: false };
    if (independentParties(parties, rules).length < first.quorum)
      world.fault(`unit ${unitId} of ${first.name} was decided by ${JSON.stringify(witnesses)}`);
  }
}

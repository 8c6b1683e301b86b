import { QUEUES, QueueService } from '@gleaner/coordinator';
import type { World } from './world.js';

const SWEEPS = [QUEUES.link, QUEUES.release, QUEUES.fill, QUEUES.sweep, QUEUES.jobSweep];

/** Both in SQL. */
interface Change {
  readonly set: string;
  readonly where: string;
}

const ORDER = { lease: 'unit_id, ordinal', task: 'unit_id, ordinal', work_unit: 'id' } as const;

/** Locks rows in the order in which coordinators do: in another one both would wait for each other, and either would fail. */
export async function changeRows(
  world: World,
  table: keyof typeof ORDER,
  { set, where }: Change,
): Promise<void> {
  // In one message: two statements, one transaction.
  await world.query(
    `SELECT FROM ${table} WHERE ${where} ORDER BY ${ORDER[table]} FOR UPDATE; UPDATE ${table} SET ${set} WHERE ${where}`,
  );
}

/** Whatever waits for its time has waited long enough, but for tasks that are being computed. */
export async function anHourPasses(world: World): Promise<void> {
  await changeRows(world, 'task', {
    set: "assigned_at = assigned_at - interval '1 hour'",
    where: "state <> 'in-progress'",
  });
  await changeRows(world, 'work_unit', {
    set: "ticketed_at = ticketed_at - interval '1 hour'",
    where: "state = 'open'",
  });
}

/** Some of what one of the coordinators does every 10 s by itself happens soon. */
export async function sweepSomething(world: World): Promise<void> {
  await sweepNow(world, world.random.pick(SWEEPS));
}

/** All of it. */
export async function sweepEverything(world: World): Promise<void> {
  for (const due of SWEEPS) await sweepNow(world, due);
}

async function sweepNow(world: World, due: string): Promise<void> {
  await world.aCoordinator().app.get(QueueService).queue<object>(due).announce({}, { dedupeId: due });
}

import { QUEUES, QueueService } from '@gleaner/coordinator';
import type { World } from './world.js';

const SWEEPS = [QUEUES.link, QUEUES.release, QUEUES.fill, QUEUES.sweep, QUEUES.jobSweep];

/** Whatever waits for its time has waited long enough, but for tasks that are being computed. */
export async function anHourPasses(world: World): Promise<void> {
  await world.query(
    "UPDATE task SET assigned_at = assigned_at - interval '1 hour' WHERE state <> 'in-progress'",
  );
  await world.query(
    "UPDATE work_unit SET ticketed_at = ticketed_at - interval '1 hour' WHERE state = 'open'",
  );
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

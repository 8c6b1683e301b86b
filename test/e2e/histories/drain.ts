import { setTimeout as delay } from 'node:timers/promises';
import { QueueService } from '@gleaner/coordinator';
import { createVolunteer } from '../../support/index.js';
import { ALWAYS } from './always.js';
import { IN_THE_END } from './in-the-end.js';
import { violationsOf } from './invariants.js';
import { anHourPasses, changeRows, sweepEverything } from './time.js';
import { type Accepted, Volunteer } from './volunteer.js';
import type { World } from './world.js';

/** More than any job here needs independent volunteers. */
const HONEST_PEOPLE = 5;
/** Far above what it takes; jobs that are open then are a fault. */
const DRAIN_MS = 60_000;
const REST_MS = 30_000;
const PAUSE_MS = 50;

/** Jobs that can go on. Those of an unapproved app wait for ever where its submitter kept back what was agreed on. */
const UNFINISHED = `
  SELECT j.id, j.state FROM job j JOIN app_version v ON v.id = j.app_version_id
   WHERE j.state NOT IN ('completed', 'failed', 'cancelled') AND j.deleted_at IS NULL
     AND (v.approved_at IS NOT NULL OR EXISTS (
           SELECT FROM work_unit u WHERE u.job_id = j.id AND u.state IN ('open', 'awaiting-output') AND u.blocked IS NULL))`;

/** Nobody else comes back; people who are honest do what they can, until there is nothing left that could be done. */
export async function drain(world: World, accepted: Accepted): Promise<void> {
  const honest = await honestPeople(world, accepted);
  const token = world.tokenOf('operator');
  await world.call('DELETE', '/v1/operator/dispatch-pause', { token });
  const held = await world.query<{ id: string }>('SELECT id FROM host WHERE held_reason IS NOT NULL');
  for (const { id } of held)
    await world.call('PUT', `/v1/hosts/${id}/hold`, { token, body: { reason: null } });

  const untilMs = Date.now() + DRAIN_MS;
  while (Date.now() < untilMs) {
    const jobs = await world.query<{ id: string; state: string }>(UNFINISHED);
    if (jobs.length === 0) break;
    for (const { id, state } of jobs)
      if (state === 'paused') await world.call('POST', `/v1/jobs/${id}/resume`, { token });
    await endWhatOthersHave(world, honest);
    let done = 0;
    for (const volunteer of honest) done += await volunteer.doItsPart();
    if (done === 0) await anHourPasses(world);
    await sweepEverything(world);
    await delay(PAUSE_MS);
  }
}

async function honestPeople(world: World, accepted: Accepted): Promise<Volunteer[]> {
  const tokens = [world.tokenOf('stranger')];
  for (let n = 0; n < HONEST_PEOPLE; n += 1) {
    const { url } = world.aCoordinator();
    tokens.push((await createVolunteer(url, world.tokenOf('operator'), `honest ${n}`)).token);
  }
  const { random } = world;
  const hosts = tokens.map(
    (token) => new Volunteer(world, { token, address: world.anAddress(), random, accepted }),
  );
  for (const host of hosts) await host.attach();
  // They are known for years.
  await world.query(
    'UPDATE host_standing SET allowance_per_day = 100000 WHERE host_id = ANY ($1::bigint[])',
    [hosts.map(({ hostId }) => hostId)],
  );
  return hosts;
}

async function endWhatOthersHave(world: World, honest: readonly Volunteer[]): Promise<void> {
  const isOthers = `NOT host_id = ANY ('{${honest.map(({ hostId }) => hostId).join(',')}}'::bigint[])`;
  await changeRows(world, 'lease', { set: "expires_at = now() - interval '1 second'", where: isOthers });
  await changeRows(world, 'work_unit', {
    set: "upload_until = now() - interval '1 second'",
    where: `state = 'awaiting-output' AND EXISTS (
      SELECT FROM task WHERE unit_id = id AND ordinal = canonical_ordinal AND ${isOthers})`,
  });
}

/** What was announced is decided, and then nothing is wrong any more. */
export async function comeToRest(world: World): Promise<void> {
  const untilMs = Date.now() + REST_MS;
  const look = async (): Promise<string[]> => [
    ...(await violationsOf(world, [...ALWAYS, ...IN_THE_END])),
    ...(await queueFaults(world)),
  ];
  let found = await look();
  while (found.length > 0 && Date.now() < untilMs) {
    await sweepEverything(world);
    await delay(PAUSE_MS);
    found = await look();
  }
  for (const fault of found) world.fault(fault);
}

/** Tickets may lie on the dispatch queues for as long as nobody asks for work; nothing else waits, and nothing failed. */
async function queueFaults(world: World): Promise<string[]> {
  const faults: string[] = [];
  for (const queue of world.aCoordinator().app.get(QueueService).openQueues()) {
    const { waiting, failed } = await queue.status();
    if (failed > 0) faults.push(`${failed} queue jobs of ${queue.name} failed`);
    if (waiting > 0 && !queue.name.startsWith('{dispatch-'))
      faults.push(`${waiting} queue jobs of ${queue.name} wait`);
  }
  return faults;
}

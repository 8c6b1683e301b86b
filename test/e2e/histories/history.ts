import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../bench/fuzz-sandbox-random.js';
import { createVolunteer } from '../../support/index.js';
import { checkAnswers, checkQuorums } from './answers.js';
import { comeToRest, drain } from './drain.js';
import { ALWAYS } from './always.js';
import { violationsOf } from './invariants.js';
import { Others, type Person } from './others.js';
import { JOB_KINDS } from './science.js';
import { checkStoredOutputs } from './stored-outputs.js';
import { type Accepted, Volunteer } from './volunteer.js';
import { World } from './world.js';

export interface HistoryOptions {
  readonly seed: number;
  /** Queues are on Redis rather than on Postgres. */
  readonly redis: boolean;
  readonly volunteers: number;
  /** What each of them does, one after the other. */
  readonly actions: number;
}

const WATCH_EVERY_MS = 150;
const [FEW_TASKS, MANY_TASKS] = [1, 16];
/** What coordinators say at `warn` about what happens here. */
const EXPECTED_EVENTS: readonly unknown[] = [
  'job-paused',
  'job-failed',
  'host-held',
  'tickets-made-anew',
  'swarms-apart',
  'website-not-built',
];

/**
 * Plays one history: hosts, scientists, operators and time do at the same moment what a seeded generator tells each of them;
 * then everybody honest finishes what is left. The generator does not decide who is first: what is checked holds in any order.
 *
 * @returns everything that must not have happened
 */
export async function playHistory(options: HistoryOptions): Promise<readonly string[]> {
  const newcomersTasks = options.seed % 4 === 0 ? FEW_TASKS : MANY_TASKS;
  const world = await World.start({ ...options, newcomersTasks });
  try {
    const accepted: Accepted = new Map();
    await play(world, options, accepted);
    await drain(world, accepted);
    await comeToRest(world);
    await checkAnswers(world, accepted);
    await checkQuorums(world);
    await checkStoredOutputs(world);
    checkLog(world);
    return world.faults;
  } finally {
    await world.close();
  }
}

async function play(
  world: World,
  { seed, actions, ...options }: HistoryOptions,
  accepted: Accepted,
): Promise<void> {
  const people = await somePeople(world, Math.ceil(options.volunteers / 3));
  const volunteers = someVolunteers(world, people, options.volunteers, accepted);
  for (const volunteer of volunteers) await volunteer.attach();
  const random = aRandom(world);
  const others = new Others(world, {
    random,
    volunteers,
    people,
    mayDelete: seed % 2 === 0,
    mayApprove: seed % 5 === 0,
  });
  for (let n = 0; n < JOB_KINDS.length; n += 1) await others.submit();

  let isOver = false;
  let done = 0;
  const meanwhile = async (act: () => Promise<void>): Promise<void> => {
    while (!isOver) await act();
  };
  const untilDone = async (share: number): Promise<void> => {
    while (!isOver && done < volunteers.length * actions * share) await delay(WATCH_EVERY_MS);
  };
  const acting = volunteers.map(async (volunteer) => {
    for (let n = 0; n < actions; n += 1) {
      await volunteer.act();
      done += 1;
    }
  });
  await Promise.all([
    Promise.all(acting).finally(() => {
      isOver = true;
    }),
    meanwhile(() => others.dealWithJobs()),
    meanwhile(() => others.operate()),
    meanwhile(() => others.socialise()),
    meanwhile(() => others.passTime()),
    meanwhile(() => watch(world)),
    untilDone(1 / 3).then(() => world.addCoordinator()),
    untilDone(1 / 2).then(() => world.closeCoordinator()),
  ]);
}

async function somePeople(world: World, count: number): Promise<Person[]> {
  const people: Person[] = [];
  for (let n = 0; n < count; n += 1) {
    const { url } = world.aCoordinator();
    const name = `person ${n}`;
    const { token } = await createVolunteer(url, world.tokenOf('operator'), name);
    people.push({ name, token });
  }
  return people;
}

/** Everybody has a host, those who submit jobs as well; the others are second hosts of somebody, or nobody's. */
function someVolunteers(
  world: World,
  people: readonly Person[],
  count: number,
  accepted: Accepted,
): Volunteer[] {
  const { random } = world;
  const owners = [...people.map(({ token }) => token), world.tokenOf('scientist'), world.tokenOf('stranger')];
  const sharedAddresses = people.map(() => world.anAddress());
  return Array.from({ length: count }, (_, n) => {
    const token = owners[n] ?? (random.chance(40) ? null : random.pick(people).token);
    const address = random.chance(30) ? random.pick(sharedAddresses) : world.anAddress();
    return new Volunteer(world, { token, address, random: aRandom(world), accepted });
  });
}

/** For one of those who act at the same time. */
function aRandom({ random }: World): Random {
  return new Random(random.int(2 ** 31));
}

async function watch(world: World): Promise<void> {
  for (const fault of await violationsOf(world, ALWAYS)) world.fault(fault);
  await delay(WATCH_EVERY_MS);
}

function checkLog(world: World): void {
  for (const line of world.log) {
    if (EXPECTED_EVENTS.includes(line['event'])) continue;
    // Only here two coordinators share a process.
    if (line['context'] === 'DataSourceNameRegistry') continue;
    // On Postgres a renewal can come later than the end of its queue job, which was told on another connection.
    if (String(line['error']).startsWith('could not renew lock')) continue;
    world.fault(`logged: ${JSON.stringify(line)}`);
  }
}

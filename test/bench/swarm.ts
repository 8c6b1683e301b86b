// How well volunteers share one blob: real swarm processes on loopback, and an origin with a capped line.
// Tracker and origin are the real coordinator's, in a process of its own; each volunteer has attached a host and holds a task.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchCoordinator, originOf, type Volunteer } from './swarm/bench-coordinator.js';
import { BenchPeer, processInit, round } from './swarm/bench-peer.js';
import type { LiarInit } from './swarm/liar.js';
import { measureOneToOne } from './swarm/one-to-one.js';
import { Started } from './swarm/started.js';
import { readCommandLine, refuse, wholeNumber } from '../support/command-line.js';
import { useUntilInterrupted } from '../support/use-until-interrupted.js';

const SCENARIOS = ['plain', 'liar', 'churn', 'outage', 'slow', 'one-to-one'] as const;
const SLOW_BYTES_PER_SECOND = 50_000;
const MAX_SECONDS = 300;

const COMMAND = {
  start: 'npm run bench:swarm',
  purpose: 'How well volunteers share one blob beside an origin with a capped line.',
  options: {
    leechers: { type: 'string', default: '8', help: 'volunteers that want the blob, 1 to 64' },
    size: { type: 'string', default: '64MiB', help: 'of the blob' },
    'origin-rate': { type: 'string', default: '5MB/s', help: "the origin's line" },
    scenario: { type: 'string', default: 'plain', help: SCENARIOS.join(', ') },
    rounds: { type: 'string', default: '3', help: 'of the scenario one-to-one, 1 to 20' },
    'no-http': { type: 'boolean', default: false, help: 'peers alone, once the first has the blob' },
    verbose: { type: 'boolean', default: false, help: 'tell what every process says' },
    profile: { type: 'string', help: 'directory for CPU profiles of the swarm processes' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;
const { values } = readCommandLine(COMMAND);
const leechers = wholeNumber(COMMAND, 'leechers', values.leechers, { min: 1, max: 64 });
const rounds = wholeNumber(COMMAND, 'rounds', values.rounds, { min: 1, max: 20 });
const sizeBytes = parseBytes(values.size);
const originRate = parseBytes(values['origin-rate'].replace(/\/s$/, ''));
const scenario = SCENARIOS.find((name) => name === values.scenario);
if (!scenario) refuse(COMMAND, `--scenario must be one of ${SCENARIOS.join(', ')}`);

await useUntilInterrupted(
  () => Promise.resolve(),
  async () => {
    const report = await measure(scenario);
    console.log(values.json ? JSON.stringify(report) : JSON.stringify(report, undefined, 2));
  },
  () => Started.endAll(),
);

async function measure(name: (typeof SCENARIOS)[number]) {
  if (name !== 'one-to-one') return await measureSwarm(name);
  return await measureOneToOne({
    sizeBytes,
    originBytesPerSecond: originRate,
    rounds,
    verbose: values.verbose,
    profileDirectory: values.profile,
  });
}

async function measureSwarm(name: Exclude<(typeof SCENARIOS)[number], 'one-to-one'>) {
  const baseline = name === 'slow' ? await runSwarm('plain') : undefined;
  const run = await runSwarm(name);
  return {
    scenario: name,
    ...run,
    ...(baseline && {
      baselineSeconds: baseline.seconds,
      delay: round(run.seconds / baseline.seconds - 1),
    }),
    httpOnly: values['no-http'] ? null : await measureHttpOnly(),
  };
}

function startCoordinator(volunteers: number): Promise<BenchCoordinator> {
  return BenchCoordinator.start({ sizeBytes, originBytesPerSecond: originRate, volunteers });
}

/** One after the other: attaching and starting is not what is measured. */
async function enrolAll(coordinator: BenchCoordinator, count: number): Promise<Volunteer[]> {
  const volunteers: Volunteer[] = [];
  while (volunteers.length < count) volunteers.push(await coordinator.enrol());
  return volunteers;
}

async function runSwarm(name: Exclude<(typeof SCENARIOS)[number], 'one-to-one'>) {
  const coordinator = await startCoordinator(leechers);
  const hasOddOne = name === 'liar' || name === 'slow';
  const ordinary: BenchPeer[] = [];
  for (const volunteer of await enrolAll(coordinator, leechers - (hasOddOne ? 1 : 0)))
    ordinary.push(
      await BenchPeer.start(volunteer, { verbose: values.verbose, profileDirectory: values.profile }),
    );
  const slowConfig = {
    uploadBytesPerSecond: SLOW_BYTES_PER_SECOND,
    downloadBytesPerSecond: SLOW_BYTES_PER_SECOND,
  };
  const slow =
    name === 'slow' ? await BenchPeer.start(await coordinator.enrol(), { config: slowConfig }) : undefined;
  const liar = name === 'liar' ? await startLiar(await coordinator.enrol()) : undefined;
  const stop = new AbortController();
  const limit = setTimeout(() => stop.abort(), MAX_SECONDS * 1000);
  try {
    const cpuBefore = await coordinator.cpuSeconds();
    const startedAt = performance.now();
    const peers = slow ? [...ordinary, slow] : ordinary;
    await Promise.all(peers.map((peer) => peer.join()));
    if (slow) void slow.fetchAll(stop.signal);
    const fetching = Promise.all(ordinary.map((peer) => peer.fetchAll(stop.signal)));
    const disturbed = disturb(name, coordinator, ordinary, stop);
    await Promise.all([fetching, disturbed]);
    const seconds = (performance.now() - startedAt) / 1000;
    const cpuAfter = await coordinator.cpuSeconds();
    const perPeer = await Promise.all(peers.map((peer) => peer.report()));
    const living = ordinary.filter((peer) => !peer.isKilled);
    const existing = new Set(living.flatMap(({ chunks }) => [...chunks]));
    const received = perPeer.reduce(
      (sum, peer) => sum + peer.bytesFromPeers + peer.bytesFromOrigin + peer.wastedBytes,
      0,
    );
    const neededBytes =
      living.reduce((sum, { chunks }) => sum + chunks.size, slow?.chunks.size ?? 0) *
      coordinator.file.manifest.chunk;
    return {
      leechers,
      sizeBytes,
      originRatio: round((await coordinator.sentBytes()) / sizeBytes),
      seconds: round(seconds),
      floorSeconds: round(sizeBytes / originRate),
      cpuSeconds: round(perPeer.reduce((sum, peer) => sum + peer.cpuSeconds, 0)),
      /** Of the coordinator: tracker and origin. */
      coordinatorCpuSeconds: cpuAfter === null ? null : round(cpuAfter - (cpuBefore ?? 0)),
      completed: living.filter((peer) => peer.seconds !== null).length,
      /** Chunks that exist in the swarm, and how many of the living have all of them. */
      existingChunks: existing.size,
      haveAllExisting: living.filter(({ chunks }) => chunks.size === existing.size).length,
      /** Received beyond one copy each of what the living have. */
      extraTraffic: round(received / neededBytes - 1),
      perPeer,
    };
  } finally {
    clearTimeout(limit);
    stop.abort();
    await Promise.all([...ordinary, ...(slow ? [slow] : [])].map((peer) => peer.close()));
    await liar?.end();
    await coordinator.stop();
  }
}

/** What happens to the swarm once half of the blob has left the origin. */
async function disturb(
  name: string,
  coordinator: BenchCoordinator,
  peers: readonly BenchPeer[],
  stop: AbortController,
) {
  if (name !== 'churn' && name !== 'outage') return;
  await until(async () => (await coordinator.sentBytes()) >= sizeBytes / 2, stop.signal, 100);
  if (name === 'churn') {
    for (const peer of peers.slice(0, Math.floor(peers.length / 2))) peer.kill();
    return;
  }
  await coordinator.cutOff();
  let stableSinceMs = performance.now();
  let lastTotal = 0;
  await until(() => {
    const total = peers.reduce((sum, { chunks }) => sum + chunks.size, 0);
    if (total !== lastTotal) stableSinceMs = performance.now();
    lastTotal = total;
    const existing = new Set(peers.flatMap(({ chunks }) => [...chunks])).size;
    // The swarm is at rest when nothing has moved for longer than any of its time-outs, or when all have everything.
    const isAtRest = performance.now() - stableSinceMs > 12_000;
    return isAtRest || (total === existing * peers.length && performance.now() - stableSinceMs > 2000);
  }, stop.signal);
  stop.abort();
}

async function startLiar(volunteer: Volunteer): Promise<{ end: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-bench-liar-'));
  const child: ChildProcess = fork(fileURLToPath(new URL('./swarm/liar.js', import.meta.url)), {
    serialization: 'advanced',
  });
  const { file, ticket, url, token } = volunteer;
  const message: LiarInit = {
    init: processInit(volunteer, undefined),
    join: { location: file.location, manifest: file.manifest, ticket },
    url,
    token,
    dataPath: join(directory, 'data'),
  };
  child.send(message);
  // A liar that comes when all is done would prove nothing.
  await once(child, 'message');
  return {
    async end() {
      child.kill('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The same hosts without a swarm, in the same capped line. */
async function measureHttpOnly() {
  const coordinator = await startCoordinator(leechers);
  try {
    const volunteers = await enrolAll(coordinator, leechers);
    const { location, manifest } = coordinator.file;
    const indices = [...manifest.hashes.keys()];
    const { signal } = new AbortController();
    const startedAt = performance.now();
    await Promise.all(
      volunteers.map(async (volunteer) => {
        for await (const _ of originOf(volunteer).fetchChunks({ location, manifest, indices }, signal));
      }),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    return { originRatio: round((await coordinator.sentBytes()) / sizeBytes), seconds: round(seconds) };
  } finally {
    await coordinator.stop();
  }
}

async function until(
  claim: () => boolean | Promise<boolean>,
  signal: AbortSignal,
  everyMs = 20,
): Promise<void> {
  while (!(await claim()) && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, everyMs));
}

function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|KiB|MiB|GiB)?$/.exec(text);
  const factors: Readonly<Record<string, number>> = {
    B: 1,
    kB: 1e3,
    MB: 1e6,
    GB: 1e9,
    KiB: 1024,
    MiB: 1024 ** 2,
    GiB: 1024 ** 3,
  };
  const bytes = Number(match?.[1]) * (factors[match?.[2] ?? 'B'] ?? Number.NaN);
  if (!(bytes > 0 && bytes <= 2 * 1024 ** 3)) {
    refuse(COMMAND, `"${text}" is no size such as 64MiB (at most 2GiB)`);
  }
  return Math.floor(bytes);
}

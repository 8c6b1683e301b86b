import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { MUTATION_MAP_WASM_PATH } from '@gleaner/example-mutation-map';
import { jobSpec, swarmCertificateAnswer } from '@gleaner/protocol';
import { FRAME_LIMITS } from '@gleaner/swarm/frames';
import { DEFAULT_SWARM_PREFERENCES, type SwarmPreferences } from '@gleaner/worker-sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestApplication, freePort, type TestApplication } from '../support/index.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { aSharingVolunteer, OriginGate, type SharingVolunteer } from './swarm-support.js';
import { anApprovedApp, anInput, completeJob, type Science } from './volunteering/science.js';

const INPUT_BYTES = 12_500_000;
const JOB_FILE = fileURLToPath(new URL('../../examples/mutation-map/job.json', import.meta.url));
const GENOMES = fileURLToPath(new URL('../../../shared/data/genomes/', import.meta.url));
const keptKey = z.looseObject({ sinceMs: z.number() });
const SOON = { timeout: 120_000, interval: 100 };
/** Several workers with a process for the swarm and one for the sandbox each, on a machine that may be busy. */
const LONG = { timeout: 400_000 };

let application: TestApplication;
let directory: string;
let gate: OriginGate;
let science: Science;
const volunteers: SharingVolunteer[] = [];

beforeAll(async () => {
  application = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
  science = await anApprovedApp(application, 'hello', helloModule('hello\n').original);
});
afterAll(() => application.close());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-sharing-'));
  gate = await OriginGate.before(application);
});
afterEach(async () => {
  await Promise.all(volunteers.splice(0).map((volunteer) => volunteer[Symbol.asyncDispose]()));
  await gate[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Submits it, and waits for its answer. */
function jobOfOneUnit(name: string, input: string): ReturnType<typeof completeJob> {
  return completeJob(science, {
    name,
    app: science.app,
    inputs: { data: input },
    split: [{ kind: 'range', name: 'n', from: 0, to: 1, step: 1 }],
  });
}

let names = 0;
async function joining(preferences: Partial<SwarmPreferences> = {}): Promise<SharingVolunteer> {
  const name = `sharer-${(names += 1)}`;
  const volunteer = await aSharingVolunteer(application, { name, directory, url: gate.url, preferences });
  volunteers.push(volunteer);
  return volunteer;
}

describe('volunteers who share inputs', LONG, () => {
  it('a second one computes its task from the first one’s chunks when the origin is gone', async () => {
    const input = await anInput(science, randomBytes(3_000_000));
    const completing = jobOfOneUnit('shared', input);
    const first = await joining();
    await expect.poll(() => first.worker.status().finishedTasks, SOON).toBe(1);
    expect(gate.contentBytes).toBe(3_000_000);
    gate.isClosed = true;
    const second = await joining();
    const { answer } = await completing;
    expect(answer).toBe('hello\n');
    expect(gate.contentBytes).toBe(3_000_000);
    await expect.poll(() => second.worker.status().swarm?.fromPeersBytes, SOON).toBe(3_000_000);
    await expect
      .poll(() => first.worker.status().swarm?.toPeersBytes, SOON)
      .toBeGreaterThanOrEqual(3_000_000);
    expect(second.worker.status().swarm?.fromOriginBytes).toBe(0);
  });

  it('one whose part in the swarm began after its task shares what it had from the origin', async () => {
    const input = await anInput(science, randomBytes(3_000_000));
    const completing = jobOfOneUnit('late', input);
    const certified = Promise.withResolvers<void>();
    gate.certificatesArrive = certified.promise;
    const first = await joining();
    await expect.poll(() => first.worker.status().finishedTasks, SOON).toBe(1);
    certified.resolve();
    gate.isClosed = true;
    const second = await joining();
    expect((await completing).answer).toBe('hello\n');
    await expect.poll(() => second.worker.status().swarm?.fromPeersBytes, SOON).toBe(3_000_000);
  });

  it.each([
    ['', 0],
    [', also where the coordinator does not answer at first', 1],
  ])('one that goes on as another peer the next day shares what it had%s', async (_also, lostCalls) => {
    const input = await anInput(science, randomBytes(3_000_000));
    const completing = jobOfOneUnit('the next day', input);
    const first = await joining();
    await expect.poll(() => first.worker.status().finishedTasks, SOON).toBe(1);
    gate.isClosed = true;
    const keyFile = (data: string): string => join(data, 'swarm', 'peer-key.json');
    const certified = async (data: string): Promise<string> => {
      const text = await readFile(join(data, 'swarm', 'certificate.json'), 'utf8');
      return swarmCertificateAnswer.parse(JSON.parse(text)).certificate.body.peerId;
    };
    let home = '';
    let yesterday = '';
    await first.restart(async (data) => {
      const key = keptKey.parse(JSON.parse(await readFile(keyFile(data), 'utf8')));
      await writeFile(keyFile(data), JSON.stringify({ ...key, sinceMs: key.sinceMs - 24 * 3600 * 1000 }));
      yesterday = await certified(data);
      home = data;
      gate.ticketCallsToLose = lostCalls;
    });
    const second = await joining();
    expect((await completing).answer).toBe('hello\n');
    await expect.poll(() => second.worker.status().swarm?.fromPeersBytes, SOON).toBe(3_000_000);
    expect(await certified(home)).not.toBe(yesterday);
  });

  it('two of one machine that were given the same port both take part', async () => {
    const port = await freePort();
    const both = [await joining({ port }), await joining({ port })];
    await expect
      .poll(() => both.map(({ worker }) => worker.status().swarm?.state), SOON)
      .toEqual(['on', 'on']);
  });

  it('one whose cache somebody has removed brings its inputs anew', async () => {
    const input = await anInput(science, randomBytes(3_000_000));
    const completing = (name: string) =>
      completeJob(science, {
        name,
        app: science.app,
        inputs: { data: input },
        split: [{ kind: 'range', name: 'n', from: 0, to: 1, step: 1 }],
        replication: { quorum: 1, maxErrors: 1, maxTasks: 2, distinct: 'account' },
      });
    await joining();
    const home = join(directory, `sharer-${names}`);
    expect((await completing('before')).answer).toBe('hello\n');
    for (const cache of ['cache', 'chunks']) await rm(join(home, cache), { recursive: true });
    expect((await completing('after')).answer).toBe('hello\n');
  });

  it('one whose month is used up exchanges no more, and has the rest from the origin', async () => {
    const input = await anInput(science, randomBytes(3_000_000));
    const completing = jobOfOneUnit('thrifty', input);
    const first = await joining();
    await expect.poll(() => first.worker.status().finishedTasks, SOON).toBe(1);
    // Until then, as on a slow machine the origin may be faster than the first chunk of a peer.
    gate.isClosed = true;
    const second = await joining({ monthlyCapBytes: 1_000_000 });
    await expect.poll(() => second.worker.status().swarm?.state, SOON).toBe('waiting');
    gate.isClosed = false;
    expect((await completing).answer).toBe('hello\n');
    const { monthBytes = 0, fromOriginBytes = 0, reason } = second.worker.status().swarm ?? {};
    expect(reason).toContain('the monthly cap is used');
    expect(monthBytes).toBeGreaterThanOrEqual(1_000_000);
    // What was on its way when the bound was reached: a block.
    expect(monthBytes).toBeLessThanOrEqual(1_000_000 + FRAME_LIMITS.blockBytes);
    expect(fromOriginBytes).toBeGreaterThanOrEqual(2_000_000 - FRAME_LIMITS.blockBytes);
  });

  it('go on without the coordinator, also from the peers that they knew, and report when it is back', async () => {
    const input = await anInput(science, randomBytes(4_000_000));
    const completing = jobOfOneUnit('away', input);
    // Slow enough to lose the coordinator, and then the swarm's process, in the middle of it.
    const first = await joining({ uploadBytesPerSecond: 400_000 });
    await expect.poll(() => first.worker.status().finishedTasks, SOON).toBe(1);
    gate.isClosed = true;
    const second = await joining();
    const had = () => second.worker.status().swarm?.fromPeersBytes ?? 0;
    await expect.poll(had, SOON).toBeGreaterThan(500_000);
    gate.isAway = true;
    // Another preference starts its process anew: it has its certificate and its peers from before.
    second.worker.setSwarm({ ...DEFAULT_SWARM_PREFERENCES, keepsReplicas: false });
    await expect.poll(() => second.worker.status().unreported, SOON).toBe(1);
    gate.isAway = false;
    expect((await completing).answer).toBe('hello\n');
    expect(second.worker.status().swarm?.fromOriginBytes).toBe(0);
  });

  it('three of them have an input of 12.5 MB from an origin that sends it 1.2 times at most', async () => {
    const input = await anInput(science, randomBytes(INPUT_BYTES));
    const all = await Promise.all([joining(), joining(), joining()]);
    await expect
      .poll(() => all.every(({ worker }) => worker.status().swarm?.state === 'on'), SOON)
      .toBe(true);
    await completeJob(science, {
      name: 'three',
      app: science.app,
      inputs: { data: input },
      split: [{ kind: 'range', name: 'n', from: 0, to: 12, step: 1 }],
      replication: { quorum: 3, maxErrors: 6, maxTasks: 12, distinct: 'account' },
    });
    expect(gate.contentBytes).toBeLessThanOrEqual(1.2 * INPUT_BYTES);
  });

  it.skipIf(!existsSync(GENOMES))('mutation-map with three of them: 1.2 times at most', async () => {
    const mapping = await anApprovedApp(application, 'mutation-map', await readFile(MUTATION_MAP_WASM_PATH));
    const bytes = gunzipSync(await readFile(join(GENOMES, 'example_sequences.fasta.gz')));
    const genomes = await anInput(mapping, bytes);
    const reference = await anInput(mapping, await readFile(join(GENOMES, 'reference_seq.fasta')));
    const spec = jobSpec.parse(JSON.parse(await readFile(JOB_FILE, 'utf8')));
    const all = await Promise.all([joining(), joining(), joining()]);
    await expect
      .poll(() => all.every(({ worker }) => worker.status().swarm?.state === 'on'), SOON)
      .toBe(true);
    await completeJob(mapping, { ...spec, inputs: { genomes, reference } });
    expect(gate.contentBytes).toBeLessThanOrEqual(1.2 * bytes.length);
  });
});

if (!existsSync(GENOMES)) process.stderr.write(`skipped: the genomes are not at ${GENOMES}\n`);

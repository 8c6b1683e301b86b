import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  chirpUnitHzPerS,
  parseSpikes,
  searchJob,
  SETI_CLASSIC_WASM_PATH,
  type Spike,
} from '@gleaner/example-seti-classic';
import { jobSpec, leaderboard, type JobSpec } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, operatorOf, type TestApplication } from '../support/index.js';
import { lyingRunner } from './volunteering/lying-runner.js';
import { anApprovedApp, anInput, completeJob, type Science } from './volunteering/science.js';
import { aVolunteer, type Volunteer } from './volunteering/volunteer.js';

const DATA = fileURLToPath(new URL('../../../shared/data/seti/', import.meta.url));
const SAMPLE_RATE_HZ = 9765.625;

const referenceSpikes = z.array(
  z.object({
    peak_power: z.number(),
    detection_freq: z.number(),
    fft_len: z.number(),
    chirp_rate: z.number(),
  }),
);
type ReferenceSpike = z.infer<typeof referenceSpikes>[number];

const hasData = existsSync(DATA);
if (!hasData) process.stderr.write(`skipped: the SETI@home work unit is not at ${DATA}\n`);

/** Minutes of a core at the lowest priority where the machine is busy with other things. */
const LONG = { timeout: 600_000 };

describe.skipIf(!hasData)('searching a real SETI@home work unit', LONG, () => {
  let application: TestApplication;
  let directory: string;
  let science: Science;
  let tape: string;
  const volunteers: Volunteer[] = [];

  beforeAll(async () => {
    application = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
    directory = await mkdtemp(join(tmpdir(), 'gleaner-seti-'));
    science = await anApprovedApp(application, 'seti-classic', await readFile(SETI_CLASSIC_WASM_PATH));
    tape = await anInput(science, await readFile(join(DATA, 'reference_work_unit.sah')));
  });
  afterAll(async () => {
    await Promise.all(volunteers.map((volunteer) => volunteer[Symbol.asyncDispose]()));
    await application.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Cut by `step` chirps, or evenly into `units`. */
  function aSearch(
    from: number,
    to: number,
    cut: { readonly step: number } | { readonly units: number },
  ): JobSpec {
    const job = searchJob({ name: `${from}:${to}`, app: science.app, tape, fromChirp: from, toChirp: to });
    return jobSpec.parse({ ...job, split: [{ kind: 'range', name: 'chirp', from, to, ...cut }] });
  }

  it('finds the reference spikes and no others although one volunteer lies, who gets no credit', async () => {
    // Of the spikes in this range one is in each unit, so that there is something to lie about in both.
    const completing = completeJob(science, aSearch(2850, 2870, { step: 12 }));
    await using liar = await aVolunteer(application, { name: 'Liar', directory, tamper: lyingRunner });
    await reported(liar);
    for (const name of ['Ada', 'Grace']) volunteers.push(await aVolunteer(application, { name, directory }));
    const { job, answer } = await completing;
    await expectReferenceSpikes(parseSpikes(answer), 2850, 2870);
    expect(job.units).toMatchObject({ total: 2, valid: 2 });
    const credit = await credits();
    expect(credit.get('Liar') ?? 0n).toBe(0n);
    // Both honest volunteers agreed on every unit.
    expect(credit.get('Ada')).toBe(BigInt(job.validatedCycles) / 2n);
    expect(credit.get('Grace')).toBe(BigInt(job.validatedCycles) / 2n);
  });

  it('gives the same bytes for 7, 13 and 40 units', async () => {
    const answers: string[] = [];
    // The liar has gone, and one volunteer's word is enough where three answers are compared.
    const replication = { quorum: 1 };
    for (const units of [7, 13, 40]) {
      const job = jobSpec.parse({ ...aSearch(2840, 2880, { units }), replication });
      answers.push((await completeJob(science, job)).answer);
    }
    expect(parseSpikes(answers[0] ?? '').length).toBeGreaterThan(0);
    expect(new Set(answers).size).toBe(1);
  });

  /** All credit by account name. */
  async function credits(): Promise<Map<string, bigint>> {
    const answer = await operatorOf(application).get('/v1/leaderboards/accounts').expect(200);
    return new Map(leaderboard.parse(answer.body).items.map(({ name, credit }) => [name, BigInt(credit)]));
  }
});

/** Resolves when the coordinator has taken a result of the volunteer. */
function reported({ worker }: Volunteer): Promise<void> {
  return new Promise((resolve) => {
    worker.on('report-answered', () => {
      resolve();
    });
  });
}

/** Tolerances of SETI@home's own comparison: power within 0.1 %, frequencies within 0.01 Hz, the chirp index exact. */
async function expectReferenceSpikes(
  found: readonly Spike[],
  fromChirp: number,
  toChirp: number,
): Promise<void> {
  const all = referenceSpikes.parse(JSON.parse(await readFile(join(DATA, 'reference_spikes.json'), 'utf8')));
  const expected = all.filter((spike) => chirpIndex(spike) >= fromChirp && chirpIndex(spike) < toChirp);
  expect(found).toHaveLength(expected.length);
  for (const reference of expected) {
    const match = found.find(
      (spike) =>
        spike.fftLen === reference.fft_len &&
        spike.chirpIndex === chirpIndex(reference) &&
        Math.abs(spike.detectionFrequencyHz - reference.detection_freq) < 0.01,
    );
    expect(match, `no spike at ${reference.detection_freq} Hz`).toBeDefined();
    expect(Math.abs((match?.power ?? 0) / reference.peak_power - 1)).toBeLessThan(0.001);
  }
}

function chirpIndex({ chirp_rate }: ReferenceSpike): number {
  return Math.round(chirp_rate / chirpUnitHzPerS(SAMPLE_RATE_HZ));
}

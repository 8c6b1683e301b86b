import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { MERSENNE_HUNT_WASM_PATH } from '@gleaner/example-mersenne-hunt';
import { MUTATION_MAP_WASM_PATH } from '@gleaner/example-mutation-map';
import { jobSpec, type JobSpec } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { gleaner } from './cli-support/cli-process.js';
import { anApprovedApp, anInput, completeJob } from './volunteering/science.js';
import { aVolunteer, type Volunteer } from './volunteering/volunteer.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const GENOMES = fileURLToPath(new URL('../../../shared/data/genomes/', import.meta.url));
const MERSENNE_EXPONENTS = [2, 3, 5, 7, 13, 17, 19, 31, 61, 89, 107, 127, 521, 607, 1279, 2203, 2281];

let application: TestApplication;
let directory: string;
const volunteers: Volunteer[] = [];
beforeAll(async () => {
  application = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
  directory = await mkdtemp(join(tmpdir(), 'gleaner-examples-'));
  for (const name of ['Ada', 'Grace']) volunteers.push(await aVolunteer(application, { name, directory }));
});
afterAll(async () => {
  await Promise.all(volunteers.map((volunteer) => volunteer[Symbol.asyncDispose]()));
  await application.close();
  await rm(directory, { recursive: true, force: true });
});

async function jobFile(example: string): Promise<JobSpec> {
  return jobSpec.parse(JSON.parse(await readFile(join(EXAMPLES, example, 'job.json'), 'utf8')));
}

describe('mersenne-hunt', () => {
  it('gives the 17 Mersenne exponents up to 2281, computed by volunteers', async () => {
    const science = await anApprovedApp(
      application,
      'mersenne-hunt',
      await readFile(MERSENNE_HUNT_WASM_PATH),
    );
    const { job, answer } = await completeJob(science, await jobFile('mersenne-hunt'));
    const lines = answer
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { p: number; prime: boolean });
    expect(lines.filter(({ prime }) => prime).map(({ p }) => p)).toEqual(MERSENNE_EXPONENTS);
    expect(job.units.valid).toBe(job.units.total);
  });
});

const hasGenomes = existsSync(GENOMES);
if (!hasGenomes) process.stderr.write(`skipped: the genomes are not at ${GENOMES}\n`);

describe.skipIf(!hasGenomes)('mutation-map over 418 genomes', () => {
  let genomes: string;
  const reference = join(GENOMES, 'reference_seq.fasta');
  beforeAll(async () => {
    genomes = join(directory, 'genomes.fasta');
    await writeFile(genomes, gunzipSync(await readFile(join(GENOMES, 'example_sequences.fasta.gz'))));
  });

  /** What this machine computes by itself. */
  async function totalsOf(units: number): Promise<string> {
    const inputs = ['--input', `genomes=${genomes}`, '--input', `reference=${reference}`];
    const file = join(EXAMPLES, 'mutation-map', 'job.json');
    const { code, stdout, stderr } = await gleaner([
      'run',
      '--local',
      file,
      '--units',
      `${units}`,
      ...inputs,
    ]);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }

  it('gives from volunteers what one machine gives by itself, cut otherwise', async () => {
    const science = await anApprovedApp(application, 'mutation-map', await readFile(MUTATION_MAP_WASM_PATH));
    await anInput(science, await readFile(genomes));
    await anInput(science, await readFile(reference));
    const { answer } = await completeJob(science, await jobFile('mutation-map'));
    expect(answer).toMatch(/^A23403G\t\d+$/m);
    expect(await totalsOf(7)).toBe(answer);
  });
});

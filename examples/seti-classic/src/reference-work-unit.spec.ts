import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildExamples, ExampleApp, readSharedData } from '@gleaner/example-testing';
import { parseSpikes, searchJob, SETI_CLASSIC_WASM_PATH, type Spike } from './index.js';

/** What the original client reports for the same recording. */
interface ReferenceSpike {
  readonly peak_power: number;
  readonly freq: number;
  readonly detection_freq: number;
  readonly fft_len: number;
  readonly chirp_rate: number;
}

const tape = readSharedData('seti/reference_work_unit.sah');
const referenceFile = readSharedData('seti/reference_spikes.json');
const UNIT_STEP_HZ_PER_S = 0.0018485194431;

describe.skipIf(!tape || !referenceFile)('a SETI@home work unit searched in the sandbox', () => {
  const expected = JSON.parse(Buffer.from(referenceFile ?? []).toString() || '[]') as ReferenceSpike[];
  const inputs = { tape: tape ?? new Uint8Array() };
  let app: ExampleApp;

  beforeAll(() => {
    buildExamples();
    app = new ExampleApp(SETI_CLASSIC_WASM_PATH);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const jobOf = (fromChirp: number, toChirp: number) =>
    searchJob({
      name: 'test',
      app: 'seti-classic@1',
      tape: `sha256:${'0'.repeat(64)}`,
      fromChirp,
      toChirp,
    });
  const search = (fromChirp: number, toChirp: number) => app.runJob(jobOf(fromChirp, toChirp), inputs);

  it.each([
    [560, 600],
    [1260, 1280],
    [1480, 1530],
    [2850, 2870],
  ])('finds the reference spikes of chirps %i to %i and no others', async (from, to) => {
    const { merged } = await search(from, to);
    const inRange = expected.filter((spike) => {
      const index = Math.round(spike.chirp_rate / UNIT_STEP_HZ_PER_S);
      return index >= from && index < to;
    });
    const found = parseSpikes(merged);
    expect(inRange.length).toBeGreaterThan(0);
    expect(found.map(({ fftLen, chirpIndex }) => ({ fftLen, chirpIndex }))).toEqual(
      inRange.map((spike) => ({
        fftLen: spike.fft_len,
        chirpIndex: Math.round(spike.chirp_rate / UNIT_STEP_HZ_PER_S),
      })),
    );
    found.forEach((spike, i) => expectToAgree(spike, inRange[i]));
  });

  it('gives the same bytes for 1, 7, 13 and 40 units', async () => {
    const answers = [];
    for (const units of [1, 7, 13, 40]) {
      const split = [{ kind: 'range', name: 'chirp', from: 2840, to: 2880, units }];
      answers.push(await app.runJob({ ...jobOf(2840, 2880), split }, inputs));
    }
    expect(answers.map(({ units }) => units)).toEqual([1, 7, 13, 40]);
    expect(parseSpikes(answers[0]?.merged ?? '')).toHaveLength(2);
    for (const { merged } of answers) expect(merged).toBe(answers[0]?.merged);
  });

  it('counts the same cycles whenever it computes a range', async () => {
    const [first, second] = [await search(-3, 3), await search(-3, 3)];
    expect(second).toEqual(first);
    expect(first.cycles).toBeGreaterThan(0n);
  });
});

/** Agreement with the original client: power within 0.1 %, frequencies within 0.01 Hz. */
function expectToAgree(spike: Spike, reference: ReferenceSpike | undefined): void {
  expect(Math.abs(spike.power / (reference?.peak_power ?? NaN) - 1)).toBeLessThan(0.001);
  expect(Math.abs(spike.frequencyHz - (reference?.freq ?? NaN))).toBeLessThan(0.01);
  expect(Math.abs(spike.detectionFrequencyHz - (reference?.detection_freq ?? NaN))).toBeLessThan(0.01);
}

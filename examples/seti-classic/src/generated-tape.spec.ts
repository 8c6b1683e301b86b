import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { jobSpec } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildExamples, ExampleApp, UnitFailedError } from '@gleaner/example-testing';
import {
  chooseTones,
  EXAMPLE_CHIRPS,
  exampleTape,
  generateTape,
  matchSignals,
  parseSpikes,
  searchJob,
  seededRandom,
  SETI_CLASSIC_WASM_PATH,
} from './index.js';

const FROM_CHIRP = -60;
const TO_CHIRP = 60;
const MARGIN = 8;

function aTape(seed: number) {
  const tones = chooseTones({
    count: 4,
    fromChirp: FROM_CHIRP + MARGIN,
    toChirp: TO_CHIRP - MARGIN,
    power: 34,
    random: seededRandom(seed),
  });
  return generateTape({ seed, tones });
}

describe('generateTape', () => {
  it('makes the same bytes from the same seed on every machine', () => {
    expect(hash('sha256', aTape(7).bytes)).toBe(
      'f1bdafd3f3c8a7e3b84e284ef673aeecdaa737d3e9e50cc00f9c8aa64b6ba4f9',
    );
    expect(hash('sha256', aTape(8).bytes)).not.toBe(hash('sha256', aTape(7).bytes));
  });

  it('makes the tape that job.json searches', () => {
    const job: unknown = JSON.parse(readFileSync(new URL('../job.json', import.meta.url), 'utf8'));
    const { inputs, split } = jobSpec.parse(job);
    expect(inputs).toEqual({ tape: `sha256:${hash('sha256', exampleTape(1).bytes)}` });
    expect(split).toMatchObject([EXAMPLE_CHIRPS]);
  });

  it('refuses tones that one-bit samples cannot follow', () => {
    const tone = { bin: 5000, chirpIndex: 0, power: 60_000 };
    expect(() => generateTape({ seed: 1, tones: [tone] })).toThrow(RangeError);
  });
});

describe('a generated tape searched in the sandbox', () => {
  let app: ExampleApp;
  beforeAll(() => {
    buildExamples();
    app = new ExampleApp(SETI_CLASSIC_WASM_PATH);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const search = (tape: Uint8Array, fromChirp: number, toChirp: number) =>
    app.runJob(
      searchJob({
        name: 'test',
        app: 'seti-classic@1',
        tape: `sha256:${'0'.repeat(64)}`,
        fromChirp,
        toChirp,
        unitChirps: 50,
      }),
      { tape },
    );

  it.each([1, 2, 3])('holds every injected tone and no other signal (seed %i)', async (seed) => {
    const { bytes, injected } = aTape(seed);
    const { merged } = await search(bytes, FROM_CHIRP, TO_CHIRP);
    expect(matchSignals(parseSpikes(merged), injected)).toMatchObject({ found: 4, injected: 4, false: 0 });
  });

  it('is noise alone without tones', async () => {
    const { merged } = await search(generateTape({ seed: 5, tones: [] }).bytes, 0, 20);
    expect(merged).toBe('');
  });

  it('needs nothing but WASI and the platform, and runs in steps', () => {
    expect(app.isStepping).toBe(true);
    expect(app.imports.filter((name) => !/^(wasi_snapshot_preview1|gleaner)\./.test(name))).toEqual([]);
  });

  it('says what is wrong with a tape that is cut short', async () => {
    const cut = aTape(1).bytes.subarray(0, 200_000);
    const error: unknown = await search(cut, 0, 1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnitFailedError);
    expect(error).toMatchObject({ result: { outcome: 'exit', exitCode: 1 } });
    expect((error as UnitFailedError).message).toContain('of the 262144 needed');
  });
});

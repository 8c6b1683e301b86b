import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { ExampleApp, readSharedData, UnitFailedError } from '@gleaner/example-testing';
import { MUTATION_MAP_WASM_PATH } from './index.js';

const JOB = JSON.parse(readFileSync(new URL('../job.json', import.meta.url), 'utf8')) as object;
const compressed = readSharedData('genomes/example_sequences.fasta.gz');
const reference = readSharedData('genomes/reference_seq.fasta');

function inUnits(units: number) {
  return {
    ...JOB,
    split: [{ kind: 'records', name: 'part', input: 'genomes', delimiter: '\n>', units }],
  };
}

function totalsOf(merged: string): Map<string, number> {
  return new Map(
    merged
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([key = '', value = '']) => [key, Number(value)]),
  );
}

const app = new ExampleApp(MUTATION_MAP_WASM_PATH);
afterAll(() => app[Symbol.asyncDispose]());

describe.skipIf(!compressed || !reference)('mutation-map over 418 genomes', () => {
  const inputs = {
    genomes: compressed ? new Uint8Array(gunzipSync(compressed)) : new Uint8Array(),
    reference: reference ?? new Uint8Array(),
  };

  it('gives the same totals for 1, 7 and 50 units', async () => {
    const [one, seven, fifty] = [
      await app.runJob(inUnits(1), inputs),
      await app.runJob(inUnits(7), inputs),
      await app.runJob(inUnits(50), inputs),
    ];
    expect([one.units, seven.units, fifty.units]).toEqual([1, 7, 50]);
    expect(seven.merged).toBe(one.merged);
    expect(fifty.merged).toBe(one.merged);
  });

  it('finds the haplotypes of early 2020', async () => {
    const totals = totalsOf((await app.runJob(inUnits(1), inputs)).merged);
    const count = (key: string): number => totals.get(key) ?? 0;
    expect(count('genomes')).toBe(418);
    const substitutions = [...totals].filter(([key]) => /^[ACGT]\d+[ACGT]$/.test(key));
    const commonest = substitutions.sort((a, b) => b[1] - a[1]).slice(0, 4);
    // D614G and its companions are the commonest four, in about the same genomes.
    expect(new Set(commonest.map(([key]) => key))).toEqual(
      new Set(['A23403G', 'C241T', 'C3037T', 'C14408T']),
    );
    expect(count('A23403G')).toBe(262);
    expect(Math.abs(count('C241T') - count('A23403G'))).toBeLessThanOrEqual(5);
    expect(count('C8782T')).toBe(86);
    expect(Math.abs(count('T28144C') - count('C8782T'))).toBeLessThanOrEqual(2);
  });
});

describe('mutation-map', () => {
  const bases = randomBases(3000);
  const inputsWith = (...genomes: readonly string[]) => ({
    genomes: Buffer.from(
      genomes.map((genome, i) => `>genome ${i}\n${genome.replace(/.{80}/g, '$&\n')}\n`).join(''),
    ),
    reference: Buffer.from(`>reference\n${bases}\n`),
  });
  const substitutionsIn = async (...genomes: readonly string[]) =>
    [...totalsOf((await app.runJob(inUnits(1), inputsWith(...genomes))).merged)].filter(
      ([key]) => key !== 'genomes' && key !== 'unaligned_bases',
    );
  const substituted = replaceBase(bases, 1500);
  const expected: [string, number][] = [[`${bases[1500]}1501${substituted[1500]}`, 1]];

  it('counts nothing in a copy of the reference', async () => {
    expect(await substitutionsIn(bases)).toEqual([]);
  });

  it('names a substitution by its position in the reference, from 1', async () => {
    expect(await substitutionsIn(substituted)).toEqual(expected);
  });

  it('keeps positions right behind a deletion, an insertion and a missing start', async () => {
    expect(await substitutionsIn(bases.slice(0, 700) + substituted.slice(760))).toEqual(expected);
    expect(await substitutionsIn(`${bases.slice(0, 700)}ACGTACGGT${substituted.slice(700)}`)).toEqual(
      expected,
    );
    expect(await substitutionsIn(substituted.slice(213))).toEqual(expected);
  });

  it('takes unknown bases for neither equal nor different', async () => {
    const unknown = `${substituted.slice(0, 900)}${'N'.repeat(300)}${substituted.slice(1200)}`;
    expect(await substitutionsIn(unknown)).toEqual(expected);
    expect(await substitutionsIn(`${substituted.slice(0, 1500)}R${substituted.slice(1501)}`)).toEqual([]);
  });

  it('counts genomes, and bases that lie nowhere', async () => {
    const { merged } = await app.runJob(inUnits(1), inputsWith(bases, randomBases(500, 99)));
    expect(totalsOf(merged)).toEqual(
      new Map([
        ['genomes', 2],
        ['unaligned_bases', 500],
      ]),
    );
  });

  it('refuses what is no FASTA', async () => {
    const inputs = { ...inputsWith(bases), genomes: Buffer.from('not a genome\n') };
    const error: unknown = await app.runJob(inUnits(1), inputs).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnitFailedError);
    expect((error as UnitFailedError).message).toContain("a record must start with '>'");
  });
});

/** A sequence without repeats of twenty bases, the same in every run. */
function randomBases(length: number, seed = 1): string {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return 'ACGT'[(state >>> 28) & 3];
  }).join('');
}

function replaceBase(bases: string, position: number): string {
  const other = bases[position] === 'A' ? 'C' : 'A';
  return bases.slice(0, position) + other + bases.slice(position + 1);
}

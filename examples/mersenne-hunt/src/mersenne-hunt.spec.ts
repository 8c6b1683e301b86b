import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildExamples, ExampleApp, UnitFailedError } from '@gleaner/example-testing';
import { MERSENNE_HUNT_WASM_PATH } from './index.js';

const KNOWN = [2, 3, 5, 7, 13, 17, 19, 31, 61, 89, 107, 127, 521, 607, 1279, 2203, 2281];
const JOB = JSON.parse(readFileSync(new URL('../job.json', import.meta.url), 'utf8')) as object;

interface Line {
  readonly p: number;
  readonly prime: boolean;
  readonly residue: string;
}

function range(from: number, to: number, step: number) {
  return { ...JOB, split: [{ kind: 'range', name: 'p', from, to, step }] };
}

function linesOf(merged: string): Line[] {
  return merged
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

describe('mersenne-hunt', () => {
  let app: ExampleApp;
  beforeAll(() => {
    buildExamples();
    app = new ExampleApp(MERSENNE_HUNT_WASM_PATH);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('finds the 17 exponents up to 2281, one line an exponent', async () => {
    const { merged, units } = await app.runJob(JOB);
    const lines = linesOf(merged);
    expect(units).toBe(19);
    expect(lines.map(({ p }) => p)).toEqual(Array.from({ length: 2280 }, (_, i) => i + 2));
    expect(lines.filter(({ prime }) => prime).map(({ p }) => p)).toEqual(KNOWN);
  });

  it('gives the residues of the test done with big integers', async () => {
    const { merged } = await app.runJob(range(2, 260, 1000));
    for (const { p, residue } of linesOf(merged)) expect([p, residue]).toEqual([p, residueOf(p)]);
  });

  it.each([1791, 1792, 1793, 3583])('carries between rows of products at exponent %i', async (p) => {
    const { merged } = await app.runJob(range(p, p + 1, 1));
    expect(linesOf(merged)).toEqual([{ p, prime: false, residue: residueOf(p) }]);
  });

  it('gives the same bytes however the range is cut', async () => {
    const whole = await app.runJob(range(100, 700, 600));
    const pieces = await app.runJob(range(100, 700, 37));
    expect(pieces.units).toBe(17);
    expect(pieces.merged).toBe(whole.merged);
  });

  it('refuses exponents below 2', async () => {
    const error: unknown = await app.runJob(range(0, 5, 5)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnitFailedError);
    expect((error as UnitFailedError).message).toContain('exponents must lie in 2:100001');
  });
});

function residueOf(p: number): string {
  const modulus = (1n << BigInt(p)) - 1n;
  let value = 4n % modulus;
  for (let i = 0; i < p - 2; i++) value = (value * value - 2n + modulus) % modulus;
  return (value & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0');
}

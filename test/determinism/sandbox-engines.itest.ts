import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MUTATION_MAP_WASM_PATH } from '@gleaner/example-mutation-map';
import { generateTape } from '@gleaner/example-seti-classic';
import { admitModule } from '@gleaner/sandbox/admission';
import { SandboxProcess } from '@gleaner/sandbox/runner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, openBrowserSandbox, type BrowserSandbox } from './browser-sandbox.js';
import { HOSTILE_APPS } from './hostile-apps.js';
import { NAN_KERNELS, RESULT_BYTES } from './nan-kernels.js';
import { syntheticGenomes } from './synthetic-genomes.js';
import { bytesOfText } from './text-module.js';
import { comparableResult, unitFromJson, type UnitJson } from './unit-json.js';

const examples = new URL('../../examples/', import.meta.url);
const chromiumPath = findChromium();
if (chromiumPath === null) {
  console.warn('NO CHROMIUM: the browser half is not tested; install it with: apt-get install chromium');
}

/** Exactly the tier that its name says: for comparison with what volunteers run. */
const baseline = new SandboxProcess({ engineFlags: ['--liftoff-only'] });
const optimised = new SandboxProcess();
let browser: BrowserSandbox | null = null;

beforeAll(async () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('build.mjs', examples))]);
  if (chromiumPath !== null) browser = await openBrowserSandbox(chromiumPath);
});
afterAll(async () => {
  await Promise.all([baseline.close(), optimised.close(), browser?.[Symbol.asyncDispose]()]);
});

describe('every engine gives the same digests and cycles', () => {
  it.each(Object.keys(NAN_KERNELS))('for NaN bits seen through %s', async (name) => {
    const result = await runEverywhere(aUnit(bytesOfText(NAN_KERNELS[name] ?? '')));
    expect(result.outputs).toEqual([expect.objectContaining({ name: 'stdout', size: RESULT_BYTES })]);
  });

  it('for mutation-map', async () => {
    const module = new Uint8Array(readFileSync(MUTATION_MAP_WASM_PATH));
    const inputs = { ...syntheticGenomes(20) };
    const result = await runEverywhere(aUnit(module, ['/input/genomes', '/input/reference'], inputs));
    expect(result).toMatchObject({ outcome: 'ok', outputs: [{ name: 'stdout' }] });
    expect(result.outputs[0]?.size).toBeGreaterThan(100);
  });

  it('for mersenne-hunt', async () => {
    const result = await runEverywhere(aUnit(exampleModule('mersenne-hunt'), ['2', '200']));
    expect(result.outputs[0]?.size).toBeGreaterThan(0);
  });

  it('for seti-classic', async () => {
    const tape = generateTape({ seed: 7, tones: [] }).bytes;
    const unit = aUnit(exampleModule('seti-classic'), ['/input/tape', '560', '564'], { tape });
    expect(await runEverywhere(unit)).toMatchObject({ outcome: 'ok' });
  });

  it.each(Object.keys(RECURSIONS))('for recursion without end with %s', async (name) => {
    const text = `(module (memory 1) ${RECURSIONS[name]} (func (export "_start") (call $f)))`;
    const result = await runEverywhere(aUnit(bytesOfText(text)));
    expect(result).toMatchObject({ outcome: 'trap', trapKind: 'stack-exhausted' });
  });

  it('at the end of the cycles', async () => {
    const loop = aUnit(bytesOfText('(module (memory 1) (func (export "_start") (loop $l (br $l))))'));
    const limited = await runEverywhere({ ...loop, maxCycles: '10000000' });
    expect(limited).toMatchObject({ outcome: 'cycle-limit', cycles: '10000000' });
  });

  // All of them run in the same three sandboxes, which have to stay as they were.
  it.each(Object.entries(HOSTILE_APPS))('for an app that %s', async (_name, { text, ending }) => {
    const unit = { ...aUnit(bytesOfText(text)), maxCycles: '10000000' };
    expect(await runEverywhere(unit)).toMatchObject(ending);
  });
});

describe.skipIf(chromiumPath === null)('a Web Worker', () => {
  it('ends at once when its unit is aborted, and is replaced', async () => {
    const endless = `(module (import "gleaner" "progress" (func $progress (param i32))) (memory 1)
      (func (export "_start") (call $progress (i32.const 1)) (loop $again (br $again))))`;
    expect(await browser?.call('abort', aUnit(bytesOfText(endless)))).toBe('Error: no longer wanted');
    const short = aUnit(bytesOfText('(module (memory 1) (func (export "_start")))'));
    expect(await browser?.call('run', short)).toMatchObject({ outcome: 'ok' });
  });

  it('goes on from a snapshot with the same digest and cycles', async () => {
    const unit = aUnit(exampleModule('mersenne-hunt'), ['2000', '2100']);
    const answer = (await browser?.call('resume', unit)) as Record<
      'whole' | 'resumed' | 'resumedCycles',
      unknown
    >;
    expect(answer.whole).toMatchObject({ outcome: 'ok' });
    expect(answer.resumed).toEqual(answer.whole);
    expect(Number(answer.resumedCycles)).toBeGreaterThan(0);
  });
});

/** Functions that recurse without end, with few and many values alive across the call. */
const RECURSIONS: Readonly<Record<string, string>> = {
  'nothing alive': '(func $f (call $f) (call $f))',
  parameters:
    '(func $f (call $g (i32.const 1) (i64.const 2) (f64.const 3)))' +
    '(func $g (param i32 i64 f64) (call $g (local.get 0) (local.get 1) (local.get 2)) (call $g (local.get 0) (local.get 1) (local.get 2)))',
  'a hundred locals': manyLocals('i64', 'i64.add', '(i64.load (i32.const 0))', 100),
  'sixty vectors': manyLocals('v128', 'i64x2.add', '(v128.load (i32.const 0))', 60),
  operands: `(func $f (drop (call $g)))
    (func $g (result i64) ${'(i64.load (i32.const 0))'.repeat(40)} (call $g) ${'i64.add '.repeat(40)})`,
  'an indirect call': `(type $v (func)) (table 1 1 funcref) (elem (i32.const 0) $f)
    (func $f (call_indirect (type $v) (i32.load (i32.const 0))) (call_indirect (type $v) (i32.load (i32.const 0))))`,
};

function manyLocals(type: string, add: string, load: string, count: number): string {
  const indices = Array.from({ length: count }, (_, i) => i);
  return `(func $f (drop (call $g))) (func $g (result ${type}) (local ${`${type} `.repeat(count)})
    ${indices.map((i) => `(local.set ${i} ${load})`).join(' ')}
    (call $g)
    ${indices.map((i) => `local.get ${i} ${add}`).join(' ')})`;
}

async function runEverywhere(json: UnitJson) {
  const unit = unitFromJson(json);
  const inNode = await Promise.all([baseline, optimised].map(async (sandbox) => sandbox.run(unit)));
  const [first, second] = inNode.map(comparableResult);
  if (first === undefined) throw new Error('nothing ran');
  expect(first.outcome, inNode[0]?.message ?? '').not.toBe('infrastructure');
  expect(second).toEqual(first);
  if (browser !== null) expect(await browser.call('run', json)).toEqual(first);
  return first;
}

function exampleModule(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}/build/${name}.wasm`, examples)));
}

function aUnit(bytes: Uint8Array, args: string[] = [], inputs: Record<string, Uint8Array> = {}): UnitJson {
  const admission = admitModule(bytes);
  if (!admission.admitted) throw new Error(admission.errors.map(({ message }) => message).join('\n'));
  const base64 = (content: Uint8Array) => Buffer.from(content).toString('base64');
  return {
    moduleBase64: base64(admission.module),
    moduleSha256: hash('sha256', admission.module),
    args,
    inputsBase64: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, base64(input)])),
  };
}

import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generateTape } from '@gleaner/example-seti-classic';
import { admitModule } from '@gleaner/sandbox/admission';
import { SandboxProcess } from '@gleaner/sandbox/runner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, openBrowserSandbox, type BrowserSandbox } from './browser-sandbox.js';
import { NAN_KERNELS, RESULT_BYTES } from './nan-kernels.js';
import { bytesOfText } from './text-module.js';
import { unitFromJson, type UnitJson } from './unit-json.js';

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

  it('for mersenne-hunt', async () => {
    const result = await runEverywhere(aUnit(exampleModule('mersenne-hunt'), ['2', '200']));
    expect(result.outputs[0]?.size).toBeGreaterThan(0);
  });

  it('for seti-classic', async () => {
    const tape = generateTape({ seed: 7, tones: [] }).bytes;
    const unit = aUnit(exampleModule('seti-classic'), ['/input/tape', '560', '564'], { tape });
    await runEverywhere(unit);
  });

  it('for a trap and for the end of the cycles', async () => {
    const trap = aUnit(bytesOfText('(module (memory 1) (func (export "_start") unreachable))'));
    expect(await runEverywhere(trap)).toMatchObject({ outcome: 'trap' });
    const loop = aUnit(bytesOfText('(module (memory 1) (func (export "_start") (loop $l (br $l))))'));
    const limited = await runEverywhere({ ...loop, maxCycles: '10000000' });
    expect(limited).toMatchObject({ outcome: 'cycle-limit', cycles: '10000000' });
  });
});

async function runEverywhere(json: UnitJson) {
  const unit = unitFromJson(json);
  const inNode = await Promise.all([baseline, optimised].map(async (sandbox) => sandbox.run(unit)));
  const [first, second] = inNode.map(({ outcome, cycles, outputs, message }) => ({
    outcome,
    message,
    cycles: String(cycles),
    outputs: outputs.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
  }));
  if (first === undefined) throw new Error('nothing ran');
  expect(first.outcome, first.message ?? '').not.toBe('infrastructure');
  expect(second).toEqual(first);
  if (browser !== null) expect(await browser.run(json)).toEqual(first);
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

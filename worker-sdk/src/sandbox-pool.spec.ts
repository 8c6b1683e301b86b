import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { admitModule } from '@gleaner/sandbox/admission';
import type { UnitToRun } from '@gleaner/sandbox/runner';
import { expect, it } from 'vitest';
import { FULL_ALLOWANCE } from './compute-allowance.js';
import { ComputingTime } from './computing-time.js';
import { SandboxPool } from './sandbox-pool.js';

/** `(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))` */
const ENDLESS = Buffer.from(
  '0061736d010000000104016000000302010005030100010713' +
    '02066d656d6f72790200065f73746172740000' +
    '0a0901070003400c000b0b',
  'hex',
);

function endlessUnit(): UnitToRun {
  const admission = admitModule(ENDLESS);
  if (!admission.admitted) throw new Error(JSON.stringify(admission.errors));
  const bytes = admission.module;
  return {
    module: { kind: 'bytes', bytes },
    moduleSha256: createHash('sha256').update(bytes).digest('hex'),
    appName: 'endless',
    args: [],
    env: {},
    inputs: {},
    outputs: [],
    limits: { maxCycles: 10n ** 15n, memoryMiB: 1, outputBytes: 0, wallMs: 600_000 },
    seed: '00'.repeat(32),
  };
}

it('a unit’s computing time goes on while it has a core, and stands still while it is paused or has ended', async () => {
  const pool = new SandboxPool({});
  const computing = new ComputingTime();
  const ending = new AbortController();
  const turn = async (): Promise<number> => {
    await setImmediate();
    return computing.ms;
  };
  pool.allow({ ...FULL_ALLOWANCE, cores: 0 });
  const ended = pool.run(endlessUnit(), { signal: ending.signal }, computing).catch(String);
  expect(await turn()).toBe(0);
  pool.allow(FULL_ALLOWANCE);
  const first = await turn();
  expect(await turn()).toBeGreaterThan(first);
  pool.allow({ ...FULL_ALLOWANCE, cores: 0 });
  const paused = computing.ms;
  expect(await turn()).toBe(paused);
  pool.allow(FULL_ALLOWANCE);
  expect(await turn()).toBeGreaterThan(paused);
  ending.abort();
  expect(await ended).toContain('AbortError');
  const over = computing.ms;
  expect(await turn()).toBe(over);
  await pool.close();
});

it.each([
  ['one core', { ...FULL_ALLOWANCE, cores: 1 }],
  ['the memory of one', { ...FULL_ALLOWANCE, memoryMiB: 1 }],
  ['less memory than any of them has', { ...FULL_ALLOWANCE, memoryMiB: 0.5 }],
])('of two units that have %s the first computes, and the second once that has ended', async (_what, few) => {
  const pool = new SandboxPool({});
  pool.allow(few);
  const units = [0, 1].map(() => ({ computing: new ComputingTime(), ending: new AbortController() }));
  const ended = units.map(({ computing, ending }) =>
    pool.run(endlessUnit(), { signal: ending.signal }, computing).catch(String),
  );
  const [first, second] = units.map(({ computing }) => computing);
  await expect.poll(() => first?.ms).toBeGreaterThan(0);
  expect(second?.ms).toBe(0);
  units[0]?.ending.abort();
  expect(await ended[0]).toContain('AbortError');
  await expect.poll(() => second?.ms).toBeGreaterThan(0);
  units[1]?.ending.abort();
  expect(await ended[1]).toContain('AbortError');
  await pool.close();
});

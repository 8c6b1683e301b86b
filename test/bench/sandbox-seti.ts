/**
 * `node scripts/run.mjs bench sandbox-seti [--rounds N] [--json]`: what admission costs the flagship application, whose
 * arithmetic is on vectors. CPU time of one unit in the runner's process, minimum of interleaved runs.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { generateTape } from '@gleaner/example-seti-classic';
import { type AdmissionOptions, admitModule } from '@gleaner/sandbox/admission';
import { SandboxProcess } from '@gleaner/sandbox/runner';
import { readCommandLine, wholeNumber } from '../support/command-line.js';

const MODULE = new URL('../../../examples/seti-classic/build/seti-classic.wasm', import.meta.url);
const CHIRPS = ['2000', '2200'] as const;
const VARIANTS: Readonly<Record<string, AdmissionOptions>> = {
  raw: { metering: false, depth: false, nan: false },
  metered: { nan: false },
  everything: {},
};

const COMMAND = {
  start: 'node scripts/run.mjs bench sandbox-seti',
  purpose: 'What admission costs SETI Classic: CPU time of one unit.',
  options: {
    rounds: { type: 'string', default: '5', help: 'interleaved runs; the fastest counts' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;
const { values } = readCommandLine(COMMAND);
const rounds = wholeNumber(COMMAND, 'rounds', values.rounds, { min: 1, max: 1000 });
const original = new Uint8Array(readFileSync(MODULE));
const tape = generateTape({ seed: 7, tones: [] }).bytes;
const cpuMs = Object.fromEntries(Object.keys(VARIANTS).map((name) => [name, Infinity]));
for (let round = 0; round < rounds; round++)
  for (const [name, options] of Object.entries(VARIANTS))
    cpuMs[name] = Math.min(cpuMs[name] ?? Infinity, await measureUnit(options));

if (values.json) console.log(JSON.stringify({ cpuMs }));
else
  for (const [name, ms] of Object.entries(cpuMs))
    console.log(
      `${name.padEnd(12)} ${ms.toFixed(0)} ms  ${((ms / (cpuMs['raw'] ?? NaN) - 1) * 100).toFixed(1)} %`,
    );

async function measureUnit(options: AdmissionOptions): Promise<number> {
  const admission = admitModule(original, options);
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  const sandbox = new SandboxProcess();
  try {
    const result = await sandbox.run({
      module: { kind: 'bytes', bytes: admission.module },
      moduleSha256: hash('sha256', admission.module),
      appName: 'seti-classic',
      args: ['/input/tape', ...CHIRPS],
      env: {},
      inputs: { tape: { kind: 'bytes', bytes: tape } },
      outputs: ['stdout'],
      limits: { maxCycles: 10n ** 15n, memoryMiB: 64, outputBytes: 1_000_000, wallMs: 600_000 },
      seed: '0'.repeat(64),
    });
    if (result.outcome !== 'ok') throw new Error(`${result.outcome}: ${result.message}`);
    return result.cpuMs;
  } finally {
    await sandbox.close();
  }
}

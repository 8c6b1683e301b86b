/**
 * `npm run bench:sandbox -- [--json] [--rounds N] [--kernels a,b]`: what admission costs. Times of each kernel raw, with
 * metering alone, and with everything on are the minimum of interleaved runs in optimised code (`--no-liftoff`).
 */
import { setFlagsFromString } from 'node:v8';
import { ABI, type AdmissionOptions, VIRTUAL_STACK_BYTES, admitModule } from '@gleaner/sandbox/admission';
import { readCommandLine, refuse, wholeNumber } from '../support/command-line.js';
import { measureAdmission } from './sandbox-admission-time.js';
import { KERNELS, type Kernel, NativeKernel, readKernel, withBuildDirectory } from './sandbox-kernels.js';
import { measureLongCall } from './sandbox-long-call.js';
import { measureSnapshots, measureUnitsPerSecond } from './sandbox-runner.js';

const AMPLE_CYCLES = 1n << 60n;
/** Recursive Fibonacci numbers are nothing but calls, and are reported apart from the mean. */
const APART = 'fib';

const COMMAND = {
  start: 'npm run bench:sandbox',
  purpose: 'What admission costs: kernels raw, metered, and with everything on.',
  options: {
    rounds: { type: 'string', default: '5', help: 'interleaved runs of each kernel; the fastest counts' },
    kernels: {
      type: 'string',
      default: KERNELS.map(({ name }) => name).join(),
      help: 'names between commas',
    },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;
const { values } = readCommandLine(COMMAND);
const rounds = wholeNumber(COMMAND, 'rounds', values.rounds, { min: 1, max: 1000 });
const chosen = new Set(values.kernels.split(','));
for (const name of chosen) {
  if (!KERNELS.some((kernel) => kernel.name === name)) refuse(COMMAND, `--kernels: there is no "${name}"`);
}

interface KernelTimes {
  readonly name: string;
  readonly rawMs: number;
  readonly meteredMs: number;
  readonly admittedMs: number;
  readonly nativeMs: number | null;
}

setFlagsFromString('--no-liftoff');
const kernels = await withBuildDirectory(async (directory) => {
  const times: KernelTimes[] = [];
  for (const kernel of KERNELS.filter(({ name }) => chosen.has(name))) {
    times.push(await measureKernel(kernel, await NativeKernel.build(kernel, directory)));
  }
  return times;
});
const averaged = kernels.filter(({ name }) => name !== APART);
const report = {
  kernels,
  geomeanMetering: geometricMean(averaged.map(({ rawMs, meteredMs }) => meteredMs / rawMs)),
  geomeanAll: geometricMean(averaged.map(({ rawMs, admittedMs }) => admittedMs / rawMs)),
  ...measureAdmission(await readKernel('fft')),
  longCall: await measureLongCall(),
  ...(await measureUnitsPerSecond()),
  snapshots: await measureSnapshots(),
};
if (values.json) console.log(JSON.stringify(report));
else print();

async function measureKernel({ name, scale }: Kernel, native: NativeKernel | null): Promise<KernelTimes> {
  const bytes = await readKernel(name);
  const variants = [
    instantiate(bytes),
    instantiate(rewritten(bytes, { depth: false, nan: false })),
    instantiate(rewritten(bytes, {})),
  ];
  const best = variants.map(() => Infinity);
  let nativeMs = Infinity;
  for (let round = 0; round < rounds; round++) {
    const checksums = new Set<number>();
    for (const [i, run] of variants.entries()) {
      const begin = performance.now();
      checksums.add(run(scale));
      best[i] = Math.min(best[i] ?? Infinity, performance.now() - begin);
    }
    if (checksums.size > 1) throw new Error(`${name}: the variants disagree`);
    if (native !== null) nativeMs = Math.min(nativeMs, (await native.run()).ms);
  }
  const [rawMs = 0, meteredMs = 0, admittedMs = 0] = best;
  return { name, rawMs, meteredMs, admittedMs, nativeMs: native === null ? null : nativeMs };
}

function rewritten(bytes: Uint8Array, options: AdmissionOptions): Uint8Array {
  const admission = admitModule(bytes, options);
  if (!admission.admitted) throw new Error(admission.errors.map(({ message }) => message).join(' '));
  return admission.module;
}

/** Each call starts with full limits, as each unit does. */
function instantiate(bytes: Uint8Array): (scale: number) => number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const [cycles, stack] = [exports[ABI.cyclesLeft], exports[ABI.stackLeft]];
  const run = exports['run'] as (scale: number) => number;
  return (scale) => {
    if (cycles instanceof WebAssembly.Global) cycles.value = AMPLE_CYCLES;
    if (stack instanceof WebAssembly.Global) stack.value = VIRTUAL_STACK_BYTES;
    return run(scale);
  };
}

function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

function print(): void {
  const percent = (ratio: number) => `${ratio < 1 ? '−' : '+'}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;
  for (const { name, rawMs, meteredMs, admittedMs, nativeMs } of kernels) {
    const native =
      nativeMs === null ? '' : `, native ${nativeMs.toFixed(1)} ms (raw ${(rawMs / nativeMs).toFixed(2)}×)`;
    console.log(
      `${name}: raw ${rawMs.toFixed(1)} ms, metered ${percent(meteredMs / rawMs)}, everything ${percent(admittedMs / rawMs)}${native}`,
    );
  }
  const { geomeanMetering, geomeanAll, admit5MBMs, longCall } = report;
  console.log(
    `geometric mean without ${APART}: metering ${percent(geomeanMetering)}, everything ${percent(geomeanAll)}`,
  );
  console.log(`admission of 5 MB: ${admit5MBMs.toFixed(0)} ms`);
  console.log(
    `one long call as a unit: ${longCall.optimisedMs.toFixed(0)} ms in the sandbox process, ${longCall.baselineMs.toFixed(0)} ms without its engine flags`,
  );
  const { unitsPerSecond, unitsPerSecondInProcess, cpuMicrosecondsPerUnit, snapshots } = report;
  console.log(
    `small units: ${unitsPerSecond.toFixed(0)}/s sent to a sandbox process, ${unitsPerSecondInProcess.toFixed(0)}/s in one process (aim: 20,000); CPU time ${cpuMicrosecondsPerUnit.sandbox?.toFixed(0) ?? '?'} µs in the sandbox process and ${cpuMicrosecondsPerUnit.parent.toFixed(0)} µs in its parent`,
  );
  console.log(
    `snapshot of ${snapshots.memoryMiB} MiB that nothing compresses: ${snapshots.pauseMs.toFixed(0)} ms pause, ${percent(1 + snapshots.overheadAtOneAMinute)} of the CPU at one a minute`,
  );
}

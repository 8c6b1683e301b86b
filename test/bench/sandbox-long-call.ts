import { hash } from 'node:crypto';
import { admitModule } from '@gleaner/sandbox/admission';
import { SandboxProcess, type UnitToRun } from '@gleaner/sandbox/runner';
import binaryen from 'assemblyscript/binaryen';
import { readKernel } from './sandbox-kernels.js';

const SCALE = 500;
const ROUNDS = 3;

export interface LongCallTimes {
  /** In the sandbox process as volunteers run it. */
  readonly optimisedMs: number;
  /** In the same process without the runner's engine flags: a function that runs is not moved to optimised code. */
  readonly baselineMs: number;
}

/** A unit whose `_start` is one long call, by the time that the sandbox process tells; the gap is what the flag does. */
export async function measureLongCall(): Promise<LongCallTimes> {
  const unit = await longUnit();
  return { optimisedMs: await fastestRun(unit, {}), baselineMs: await fastestRun(unit, { engineFlags: [] }) };
}

/** Each run in a process of its own: the second of one process would find code that is warm. */
async function fastestRun(
  unit: UnitToRun,
  options: ConstructorParameters<typeof SandboxProcess>[0],
): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const sandbox = await SandboxProcess.start(options);
    const { outcome, message, wallMs } = await sandbox.run(unit);
    await sandbox.close();
    if (outcome !== 'ok') throw new Error(`the long call ended with ${outcome}: ${message}`);
    best = Math.min(best, wallMs);
  }
  return best;
}
/** The SHA-256 kernel, all of whose work stands in one call of its `_start`. */
async function longUnit(): Promise<UnitToRun> {
  const admission = admitModule(startingAtRun(await readKernel('sha256')));
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  return {
    module: { kind: 'bytes', bytes: admission.module },
    moduleSha256: hash('sha256', admission.module),
    appName: 'bench',
    args: [],
    env: {},
    inputs: {},
    outputs: ['stdout'],
    limits: { maxCycles: 10n ** 15n, memoryMiB: 64, outputBytes: 1000, wallMs: 600_000 },
    seed: '33'.repeat(32),
  };
}

function startingAtRun(kernel: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(kernel);
  try {
    module.setFeatures(binaryen.Features.All);
    const { value: run } = binaryen.getExportInfo(module.getExport('run'));
    module.removeExport('_start');
    const call = module.drop(module.call(run, [module.i32.const(SCALE)], binaryen.i32));
    module.addFunction('long-start', binaryen.none, binaryen.none, [], call);
    module.addFunctionExport('long-start', '_start');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

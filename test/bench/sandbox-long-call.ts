import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { admitModule } from '@gleaner/sandbox/admission';
import { readKernel } from './sandbox-kernels.js';

const SCALE = 500;

export interface LongCallTimes {
  /** With the flag that the runner sets. */
  readonly optimisedMs: number;
  /** As the engine runs it by itself: a function that is already running is not moved to optimised code. */
  readonly baselineMs: number;
}

/** Runs a unit that is one long call in fresh processes; the gap shows that the runner's flag had its effect. */
export async function measureLongCall(): Promise<LongCallTimes> {
  const time = async (flags: readonly string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...flags,
      fileURLToPath(import.meta.url),
      'measure',
    ]);
    return Number(stdout);
  };
  return { optimisedMs: await time(['--no-liftoff']), baselineMs: await time([]) };
}

async function runOnce(): Promise<void> {
  const admission = admitModule(await readKernel('sha256'));
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(admission.module as BufferSource));
  const begin = performance.now();
  (exports['run'] as (scale: number) => number)(SCALE);
  console.log(performance.now() - begin);
}

if (process.argv[2] === 'measure') await runOnce();

import { substituteArgs, windowEnv } from '@gleaner/domain';
import type { TaskAssignment, WorkJob } from '@gleaner/protocol';
import { seedOfUnit, type InputContent, type UnitToRun } from '@gleaner/sandbox';

/** What of a job and a unit decides the computation; the same for a volunteer's task and a local run. */
export interface UnitDescription {
  readonly job: Pick<WorkJob, 'args' | 'env' | 'outputs' | 'limits'> & {
    readonly app: Pick<WorkJob['app'], 'name' | 'moduleSha256'>;
    /** Content of each input: what a window is cut from. */
    readonly inputs: Readonly<Record<string, { readonly blobId: string; readonly sizeBytes: number }>>;
  };
  readonly task: Pick<TaskAssignment, 'params' | 'windows'>;
}

/** The part of an input that the unit sees: its window, or the whole. Offset and length in bytes. */
export function windowOf(description: UnitDescription, input: string): { offset: number; length: number } {
  const whole = { offset: 0, length: description.job.inputs[input]?.sizeBytes ?? 0 };
  return description.task.windows[input] ?? whole;
}

/**
 * The unit as the sandbox takes it.
 *
 * @param inputs content of each input's window, see {@link windowOf}
 * @param wallMs wall clock after which the run counts as the host's failure
 */
export function unitToRun(
  description: UnitDescription,
  inputs: Readonly<Record<string, InputContent>>,
  module: UnitToRun['module'],
  wallMs: number,
): UnitToRun {
  const { job, task } = description;
  const args = substituteArgs(job.args, task.params);
  const env = { ...job.env, ...windowEnv(task.windows) };
  return {
    module,
    moduleSha256: job.app.moduleSha256,
    appName: job.app.name,
    args,
    env,
    inputs,
    outputs: job.outputs,
    limits: {
      maxCycles: BigInt(job.limits.maxCycles),
      memoryMiB: job.limits.memoryMiB,
      outputBytes: job.limits.outputBytes,
      wallMs,
    },
    seed: seedOfUnit({ moduleSha256: job.app.moduleSha256, args, env, inputs: inputIdentities(description) }),
  };
}

function inputIdentities(
  description: UnitDescription,
): Record<string, { blobId: string; offset: number; length: number }> {
  return Object.fromEntries(
    Object.entries(description.job.inputs).map(([name, { blobId }]) => [
      name,
      { blobId, ...windowOf(description, name) },
    ]),
  );
}

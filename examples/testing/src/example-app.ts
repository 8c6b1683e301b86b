import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  memoryInputs,
  memoryRunStore,
  mergeOutputs,
  splitUnits,
  substituteArgs,
  windowEnv,
  type UnitToCreate,
} from '@gleaner/domain';
import { jobSpec, type JobSpec } from '@gleaner/protocol';
import { seedOfUnit, type UnitResult } from '@gleaner/sandbox';
import { admitModule } from '@gleaner/sandbox/admission';
import { SandboxProcess } from '@gleaner/sandbox/runner';

/** Longest that a unit of an example may take. */
const WALL_MS = 300_000;

/** A unit that did not end with `ok`: its outcome and what it said. */
export class UnitFailedError extends Error {
  override readonly name = 'UnitFailedError';
  constructor(readonly result: UnitResult) {
    super(`the unit ended as ${result.outcome}: ${result.stderr || (result.message ?? '')}`);
  }
}

/** What a whole job gave. */
export interface JobAnswer {
  readonly merged: string;
  readonly units: number;
  readonly cycles: bigint;
}

/** An example's module, admitted and run as volunteers run it. */
export class ExampleApp implements AsyncDisposable {
  readonly #module: Uint8Array;
  readonly #moduleSha256: string;
  readonly #sandbox = new SandboxProcess();
  /** `module.name` of every import. */
  readonly imports: readonly string[];
  readonly isStepping: boolean;

  /** @throws Error with the reasons where the module is refused */
  constructor(wasmPath: string) {
    const admission = admitModule(readFileSync(wasmPath));
    if (!admission.admitted) throw new Error(admission.errors.map((error) => error.message).join('\n'));
    this.#module = admission.module;
    this.#moduleSha256 = hash('sha256', admission.module);
    this.imports = admission.report.imports;
    this.isStepping = admission.report.stepping;
  }

  /**
   * Splits a job, computes its units one after the other and merges their stdout.
   *
   * @param job a job file; its blobs stand for `inputs` of the same names
   * @throws UnitFailedError for the first unit whose outcome is not `ok`
   */
  async runJob(job: unknown, inputs: Readonly<Record<string, Uint8Array>> = {}): Promise<JobAnswer> {
    const spec = jobSpec.parse(job);
    let units = 0;
    let cycles = 0n;
    const outputs: Uint8Array[] = [];
    for await (const unit of splitUnits(spec.split, memoryInputs(inputs))) {
      const result = await this.runUnit(spec, unit, inputs);
      if (result.outcome !== 'ok') throw new UnitFailedError(result);
      units += 1;
      cycles += result.cycles;
      outputs.push(result.outputs[0]?.bytes ?? new Uint8Array());
    }
    return { merged: await mergeAll(spec, outputs), units, cycles };
  }

  /** Computes one unit, whatever its outcome. */
  runUnit(
    spec: JobSpec,
    unit: UnitToCreate,
    inputs: Readonly<Record<string, Uint8Array>> = {},
  ): Promise<UnitResult> {
    const args = substituteArgs(spec.args, unit.params);
    const env = { ...spec.env, ...windowEnv(unit.windows) };
    const windows = Object.entries(inputs).map(([name, bytes]) => {
      const { offset, length } = unit.windows[name] ?? { offset: 0, length: bytes.length };
      return { name, offset, length, bytes: bytes.subarray(offset, offset + length) };
    });
    return this.#sandbox.run({
      module: { kind: 'bytes', bytes: this.#module },
      moduleSha256: this.#moduleSha256,
      appName: spec.app,
      args,
      env,
      inputs: Object.fromEntries(windows.map(({ name, bytes }) => [name, { kind: 'bytes', bytes }])),
      outputs: spec.outputs,
      limits: {
        maxCycles: BigInt(spec.limits.maxCycles),
        memoryMiB: spec.limits.memoryMiB,
        outputBytes: spec.limits.outputBytes,
        wallMs: WALL_MS,
      },
      seed: seedOfUnit({
        moduleSha256: this.#moduleSha256,
        args,
        env,
        inputs: Object.fromEntries(
          windows.map(({ name, offset, length }) => [
            name,
            { blobId: spec.inputs[name] ?? '', offset, length },
          ]),
        ),
      }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox.close();
  }
}

async function mergeAll(spec: JobSpec, outputs: readonly Uint8Array[]): Promise<string> {
  async function* inOrder() {
    for (const [unitIndex, bytes] of outputs.entries()) {
      yield {
        unitIndex,
        content: (async function* () {
          yield bytes;
        })(),
      };
    }
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of mergeOutputs(spec.merge, inOrder(), { runs: memoryRunStore() }))
    pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { UnitOutput, UnitToCreate } from '@gleaner/domain';
import type { JobSpec } from '@gleaner/protocol';
import type { InputContent, UnitResult } from '@gleaner/sandbox/runner';
import { SandboxPool, unitToRun, windowOf, type UnitDescription } from '@gleaner/worker-sdk';
import { CliError, EXIT } from '../cli-error.js';
import type { LocalInput } from './file-inputs.js';
import { disagreement, failure } from './unit-check.js';

/** A rewritten module on disk. */
export interface LocalModule {
  readonly name: string;
  readonly path: string;
  /** Of the rewritten module, hex. */
  readonly sha256: string;
}

/** A unit on the user's own machine may take as long as he waits. */
const WALL_MS = 7 * 24 * 3600 * 1000;

export interface LocalUnitRunnerInit {
  readonly spec: JobSpec;
  readonly inputs: Readonly<Record<string, LocalInput>>;
  readonly module: LocalModule;
  /** Where outputs of units are kept until they are merged. */
  readonly directory: string;
}

/** Computes units of a job on this machine exactly as a volunteer's agent would. */
export class LocalUnitRunner implements AsyncDisposable {
  readonly #sandboxes: SandboxPool;
  #cycles = 0n;
  readonly #written = new Set<string>();

  constructor(private readonly init: LocalUnitRunnerInit) {
    const inputDirectories = Object.values(init.inputs).map(({ path }) => dirname(path));
    this.#sandboxes = new SandboxPool({ readableDirectories: [init.directory, ...inputDirectories] });
  }

  /** Outputs of all units in order, for merging. */
  static async *outputs(directory: string, spec: JobSpec, units: number): AsyncGenerator<UnitOutput> {
    for (let unitIndex = 0; unitIndex < units; unitIndex += 1) {
      for (const name of spec.outputs) {
        yield { unitIndex, content: createReadStream(outputPath(directory, unitIndex, name)) };
      }
    }
  }

  /** Cycles of one run of every unit so far. */
  get cycles(): bigint {
    return this.#cycles;
  }

  /** Outputs of the job to which no unit has written anything so far. */
  get unwritten(): string[] {
    return this.init.spec.outputs.filter((name) => !this.#written.has(name));
  }

  /** Runs the unit once more, and tells how many bytes it writes to stdout, whether or not that is an output of the job. */
  async stdoutBytesOf(unit: UnitToCreate, signal: AbortSignal): Promise<number> {
    const { outputs } = await this.#run(unit, signal, ['stdout']);
    return outputs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /**
   * Runs the unit twice and keeps its outputs.
   *
   * @throws {CliError} when it fails, or when the two runs differ
   */
  async computeTwice(unit: UnitToCreate, signal: AbortSignal): Promise<void> {
    const first = await this.#run(unit, signal);
    const reason = failure(first);
    if (reason !== null) throw new CliError(`Unit ${unit.index} failed: ${reason}`, EXIT.jobFailed);
    const second = await this.#run(unit, signal);
    const difference = disagreement(first, second);
    if (difference !== null) {
      throw new CliError(`Unit ${unit.index} is not deterministic: ${difference}`, EXIT.jobFailed);
    }
    for (const name of this.init.spec.outputs) {
      const output = first.outputs.find((candidate) => candidate.name === name);
      const bytes = output?.bytes ?? new Uint8Array();
      if (bytes.length > 0) this.#written.add(name);
      await writeFile(outputPath(this.init.directory, unit.index, name), bytes);
    }
    this.#cycles += first.cycles;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandboxes.close();
  }

  async #run(
    unit: UnitToCreate,
    signal: AbortSignal,
    outputs: readonly string[] = this.init.spec.outputs,
  ): Promise<UnitResult> {
    const { spec, inputs, module } = this.init;
    const description: UnitDescription = {
      job: {
        args: spec.args,
        env: spec.env,
        outputs: [...outputs],
        limits: spec.limits,
        app: { name: module.name, moduleSha256: module.sha256 },
        inputs,
      },
      task: unit,
    };
    const contents: Record<string, InputContent> = {};
    for (const [name, { path }] of Object.entries(inputs)) {
      contents[name] = { kind: 'files', pieces: [{ path, ...windowOf(description, name) }] };
    }
    const file = { kind: 'file', path: module.path } as const;
    return this.#sandboxes.run(unitToRun(description, contents, file, WALL_MS), { signal });
  }
}

function outputPath(directory: string, unitIndex: number, name: string): string {
  return join(directory, `unit-${unitIndex}.${name}`);
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import {
  estimateUnits,
  memoryRunStore,
  MergeError,
  mergeOutputs,
  splitUnits,
  type UnitToCreate,
} from '@gleaner/domain';
import { formatBytes, type JobSpec, LIMITS } from '@gleaner/protocol';
import { admitModule } from '@gleaner/sandbox/admission';
import type { Command } from 'commander';
import { identifyFile } from '../api/upload-blob.js';
import { CliError, EXIT, reasonOf } from '../cli-error.js';
import { splitAppVersion, wholeNumber, withLocalOptions } from '../common-options.js';
import { completeJob, inputOption, readJobFile, type JobFile } from '../job-file.js';
import { AnswerFile } from '../answer-file.js';
import { cutIntoUnits } from '../local-run/cut-into-units.js';
import { fileInputs, type LocalInput } from '../local-run/file-inputs.js';
import { LocalUnitRunner, type LocalModule } from '../local-run/local-unit-runner.js';
import { moduleRefused } from '../module-refused.js';
import { stopSignal } from '../processes/stop-signal.js';
import { groupDigits, note, printJson, quotedList, writeBytes } from '../terminal/output.js';
import { ProgressBar } from '../terminal/progress-bar.js';

interface RunOptions {
  readonly local?: true;
  readonly units?: number;
  readonly input: readonly string[];
  readonly app?: string;
  readonly cores: number;
  readonly output?: string;
  readonly json?: true;
}

export function registerRun(program: Command): void {
  withLocalOptions(
    program.command('run <file>'),
    'a summary in JSON on stdout; the answer only with --output',
  )
    .description(
      'compute a job file on this machine, without a coordinator; every unit twice, to check determinism',
    )
    .option('--local', 'on this machine (there is no other way yet)')
    .option('--units <n>', 'cut the job into this many units', wholeNumber(1, 1_000_000))
    .addOption(inputOption())
    .option('--app <file>', 'module; default: NAME.wasm beside the job file or in its build directory')
    .option('--cores <n>', 'units at the same time', wholeNumber(1, 1024), availableParallelism())
    .option('-o, --output <file>', 'write the answer there instead of stdout')
    .action(run);
}

async function run(file: string, options: RunOptions): Promise<void> {
  if (!options.local)
    throw new CliError(
      'Give --local: a job for volunteers is submitted with "gleaner job submit"',
      EXIT.usage,
    );
  const signal = stopSignal();
  const jobFile = await readJobFile(file, options.input);
  const inputs = await localInputs(jobFile);
  const spec = recut(completeJob(jobFile, blobIdsOf(inputs)), inputs, options.units);
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-run-'));
  try {
    const module = await admitApp(spec, jobFile, options.app, directory);
    await computeAndMerge({ spec, inputs, module, directory, options, signal });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Computation {
  readonly spec: JobSpec;
  readonly inputs: Readonly<Record<string, LocalInput>>;
  readonly module: LocalModule;
  readonly directory: string;
  readonly options: RunOptions;
  readonly signal: AbortSignal;
}

async function computeAndMerge(computation: Computation): Promise<void> {
  const { spec, inputs, options, signal } = computation;
  const sources = fileInputs(inputs);
  const { units: total } = await estimateUnits(spec.split, sources, signal);
  refuseSplitInto(total);
  const bar = new ProgressBar({ label: 'Units', total, unit: 'units' });
  // Before anything is computed: a path that cannot be written must not cost hours.
  await using file = options.output === undefined ? null : await AnswerFile.create(options.output);
  await using runner = new LocalUnitRunner(computation);
  let units = 0;
  let one: UnitToCreate | undefined;
  // Workers take units from one iterator, so that each unit is computed once and none is held in memory.
  const pending = splitUnits(spec.split, sources, { signal });
  const work = async (): Promise<void> => {
    for (let next = await pending.next(); !next.done; next = await pending.next()) {
      one ??= next.value;
      await runner.computeTwice(next.value, signal);
      units += 1;
      bar.update(units, Math.max(total, units));
    }
  };
  await Promise.all(Array.from({ length: options.cores }, work));
  bar.end();
  const answer = await writeAnswer(computation, units, file);
  if (one) await warnOfSilence(runner, one, computation);
  const { cycles } = runner;
  if (options.json) {
    printJson({ units, cycles, deterministic: true, ...answer, file: options.output ?? null });
  } else {
    note(
      `${units} units, each computed twice with the same result; ${groupDigits(cycles.toString())} cycles`,
    );
  }
}

/** What a coordinator would refuse at submission is not computed here either. */
function refuseSplitInto(units: number): void {
  if (units > 0 && units <= LIMITS.unitsPerJob) return;
  const reason = units === 0 ? 'no work units' : `${units} units; at most ${LIMITS.unitsPerJob} are allowed`;
  throw new CliError(`The job cannot run as it is\n  /split: yields ${reason}`, EXIT.refused);
}

/** An output that nobody writes to is often one whose name is wrong: every unit would be valid, and the answer empty. */
async function warnOfSilence(
  runner: LocalUnitRunner,
  unit: UnitToCreate,
  { spec, signal }: Computation,
): Promise<void> {
  const { unwritten } = runner;
  if (unwritten.length === 0) return;
  // Computed once more only where there is no answer at all; what comes of it is advice, not a reason to fail.
  const isWorthALook = unwritten.length === spec.outputs.length && !spec.outputs.includes('stdout');
  const bytes = isWorthALook ? await runner.stdoutBytesOf(unit, signal).catch(() => 0) : 0;
  const instead =
    bytes > 0
      ? `; unit ${unit.index} wrote ${formatBytes(bytes)} to "stdout", which is not among the job's outputs`
      : '';
  note(`warning: no unit wrote anything to ${quotedList(unwritten)}${instead}`);
}

async function writeAnswer(
  { spec, directory, options, signal }: Computation,
  units: number,
  file: AnswerFile | null,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const pieces = mergeOutputs(spec.merge, LocalUnitRunner.outputs(directory, spec, units), {
    runs: memoryRunStore(),
    signal,
  });
  try {
    for await (const bytes of pieces) {
      hash.update(bytes);
      sizeBytes += bytes.length;
      if (file) await file.write(bytes);
      else if (!options.json) await writeBytes(bytes);
    }
  } catch (error) {
    if (!(error instanceof MergeError)) throw error;
    throw new CliError(`The outputs cannot be merged: ${error.message}`, EXIT.jobFailed, { cause: error });
  }
  await file?.finish();
  return { sizeBytes, sha256: hash.digest('hex') };
}

async function localInputs(file: JobFile): Promise<Record<string, LocalInput>> {
  const inputs: Record<string, LocalInput> = {};
  for (const [name, input] of Object.entries(file.inputs)) {
    if (input.kind === 'blob') {
      throw new CliError(`The content of input "${name}" is needed here: --input ${name}=PATH`, EXIT.usage);
    }
    const identity = await identifyFile(input.path).catch((error: unknown) => {
      throw new CliError(`Cannot read input "${name}" from ${input.path}: ${reasonOf(error)}`, EXIT.usage, {
        cause: error,
      });
    });
    inputs[name] = { path: input.path, ...identity };
  }
  return inputs;
}

function blobIdsOf(inputs: Readonly<Record<string, LocalInput>>): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).map(([name, { blobId }]) => [name, blobId]));
}

function recut(
  spec: JobSpec,
  inputs: Readonly<Record<string, LocalInput>>,
  units: number | undefined,
): JobSpec {
  if (units === undefined) return spec;
  const split = cutIntoUnits(spec.split, units, (name) => inputs[name]?.sizeBytes ?? 0);
  if (!split)
    throw new CliError('--units cannot cut a grid: its units are the combinations of its lists', EXIT.usage);
  return { ...spec, split };
}

async function admitApp(
  spec: JobSpec,
  jobFile: JobFile,
  option: string | undefined,
  directory: string,
): Promise<LocalModule> {
  const { name } = splitAppVersion(spec.app);
  const beside = dirname(resolve(jobFile.path));
  const candidates =
    option === undefined ? [join(beside, `${name}.wasm`), join(beside, 'build', `${name}.wasm`)] : [option];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new CliError(
      `The app's module is not at ${candidates.join(' or ')}: name it with --app FILE.wasm`,
      EXIT.usage,
    );
  }
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new CliError(`Cannot read the module ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  });
  const admission = admitModule(new Uint8Array(bytes));
  if (!admission.admitted) throw moduleRefused(path, admission.errors);
  const rewritten = join(directory, 'module.wasm');
  await writeFile(rewritten, admission.module);
  return { name, path: rewritten, sha256: createHash('sha256').update(admission.module).digest('hex') };
}

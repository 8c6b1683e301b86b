import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { formatBytes, LIMITS, resultDigestText } from '@gleaner/protocol';
import { admitModule, RUNTIME_VERSION } from '@gleaner/sandbox/admission';
import {
  SandboxProcess,
  seedOfUnit,
  type InputContent,
  type SeedParts,
  type UnitResult,
  type UnitToRun,
} from '@gleaner/sandbox/runner';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { CliError, EXIT, reasonOf } from './cli-error.js';
import { wholeNumber, withLocalOptions } from './common-options.js';
import { stopSignal } from './processes/stop-signal.js';
import { groupDigits, note, printJson, writeBytes } from './terminal/output.js';

type Pairs = Readonly<Record<string, string>>;

interface RunOptions {
  readonly input: Pairs;
  readonly env: Pairs;
  readonly output: Pairs;
  readonly maxCycles: bigint;
  readonly memory: number;
  readonly timeout: number;
  readonly json?: true;
}

const DEFAULT_MAX_CYCLES = 100_000_000_000n;
const DEFAULT_MEMORY_MIB = 64;
const DEFAULT_TIMEOUT_S = 3600;

/** `gleaner sandbox run`: one module in the volunteers' sandbox, without a coordinator. */
export function registerSandboxCommands(program: Command): void {
  const sandbox = program.command('sandbox').description('the sandbox alone, without a coordinator');
  withLocalOptions(sandbox.command('run <file> [args...]'))
    .description('admit a module and run it once; options for the app follow --')
    .addOption(pairsOption('--input <name=path>', 'a file that the app sees as /input/NAME; repeatable'))
    .addOption(pairsOption('--env <name=value>', 'a variable of its environment; repeatable'))
    .addOption(pairsOption('--output <name=path>', 'keep /output/NAME as a file; repeatable'))
    .addOption(
      new Option('--max-cycles <n>', 'cycles that it may use')
        .argParser(cycles)
        // A bigint has no JSON, with which commander would describe it.
        .default(DEFAULT_MAX_CYCLES, DEFAULT_MAX_CYCLES.toString()),
    )
    .option('--memory <mib>', 'memory that it may use', wholeNumber(1, LIMITS.memoryMiB), DEFAULT_MEMORY_MIB)
    .option('--timeout <s>', 'seconds that it may take', wholeNumber(1, 2_000_000), DEFAULT_TIMEOUT_S)
    .action(run);
}

function pairsOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(pair).default({}, 'none');
}

async function run(file: string, args: string[], options: RunOptions): Promise<void> {
  const unit = await unitOf(file, args, options);
  // The process may read the inputs' directories and nothing else.
  const readableDirectories = Object.values(options.input).map((path) => dirname(resolve(path)));
  const sandbox = new SandboxProcess({ readableDirectories });
  try {
    const result = await sandbox.run(unit, { signal: stopSignal() });
    await keepOutputs(result, options.output);
    if (options.json) printJson(summaryOf(result));
    else await tell(result);
    process.exitCode = exitCodeOf(result);
  } finally {
    await sandbox.close();
  }
}

async function unitOf(file: string, args: readonly string[], options: RunOptions): Promise<UnitToRun> {
  const admission = admitModule(new Uint8Array(await readInput(file)));
  if (!admission.admitted) {
    const reasons = admission.errors.map(
      ({ rule, offset, message }) => `${rule}${offset === null ? '' : ` at byte ${offset}`}: ${message}`,
    );
    throw new CliError(`${file} is not admitted:\n  ${reasons.join('\n  ')}`);
  }
  const moduleSha256 = hash('sha256', admission.module);
  const inputs: Record<string, InputContent> = {};
  const identities: Record<string, SeedParts['inputs'][string]> = {};
  for (const [name, path] of Object.entries(options.input)) {
    const { length, sha256 } = await identify(path);
    inputs[name] = { kind: 'files', pieces: [{ path: resolve(path), offset: 0, length }] };
    identities[name] = { blobId: `sha256:${sha256}`, offset: 0, length };
  }
  return {
    module: { kind: 'bytes', bytes: admission.module },
    moduleSha256,
    appName: 'app',
    args,
    env: options.env,
    inputs,
    outputs: ['stdout', ...Object.keys(options.output)],
    limits: {
      maxCycles: options.maxCycles,
      memoryMiB: options.memory,
      outputBytes: LIMITS.unitOutputBytes,
      wallMs: options.timeout * 1000,
    },
    seed: seedOfUnit({ moduleSha256, args, env: options.env, inputs: identities }),
  };
}

async function readInput(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new CliError(`Cannot read ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  }
}

async function identify(path: string): Promise<{ length: number; sha256: string }> {
  try {
    const { size } = await stat(path);
    const digest = createHash('sha256');
    await finished(createReadStream(path).on('data', (part) => digest.update(part)));
    return { length: size, sha256: digest.digest('hex') };
  } catch (error) {
    throw new CliError(`Cannot read the input ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  }
}

async function keepOutputs({ outputs }: UnitResult, paths: Pairs): Promise<void> {
  for (const { name, bytes } of outputs) {
    const path = paths[name];
    if (path !== undefined) await writeFile(path, bytes);
  }
}

async function tell(result: UnitResult): Promise<void> {
  const stdout = result.outputs.find(({ name }) => name === 'stdout');
  // The process may end only when a pipe has taken everything.
  if (stdout) await writeBytes(stdout.bytes);
  if (result.stderr !== '') note(result.stderr.trimEnd());
  const kind = result.trapKind === null ? '' : ` (${result.trapKind})`;
  const code = result.outcome === 'exit' ? ` ${result.exitCode}` : '';
  const reason = result.message === null ? '' : `: ${result.message}`;
  note(
    `${result.outcome}${code}${kind}${reason} — ${groupDigits(result.cycles.toString())} cycles, ` +
      `${Math.round(result.wallMs)} ms`,
  );
  for (const { name, size, sha256 } of result.outputs)
    note(`${name}: ${formatBytes(size)}, sha256 ${sha256}`);
}

function summaryOf(result: UnitResult) {
  const { outputs, trapKind, ...rest } = result;
  const stdout = outputs.find(({ name }) => name === 'stdout');
  const cycles = result.cycles.toString();
  const digested = { ...result, cycles, ...(trapKind === null ? { trapKind: undefined } : { trapKind }) };
  return {
    ...rest,
    cycles,
    trapKind,
    stdout: stdout ? new TextDecoder().decode(stdout.bytes) : '',
    outputs: outputs.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    digest: hash('sha256', resultDigestText(digested)),
    runtimeVersion: RUNTIME_VERSION,
  };
}

/** The app's own exit code where it has one. */
function exitCodeOf({ outcome, exitCode }: UnitResult): number {
  if (outcome === 'ok') return EXIT.ok;
  return outcome === 'exit' && exitCode < 256 ? exitCode : EXIT.failure;
}

function pair(text: string, before: Pairs): Pairs {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('must be NAME=VALUE');
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}

function cycles(text: string): bigint {
  if (!/^\d{1,19}$/.test(text) || BigInt(text) < 1n || BigInt(text) > LIMITS.maxCycles) {
    throw new InvalidArgumentError(`must be a whole number from 1 to ${LIMITS.maxCycles}`);
  }
  return BigInt(text);
}

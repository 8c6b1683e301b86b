import { dirname, resolve } from 'node:path';
import { checkJobSpec } from '@gleaner/domain';
import { jobSpec, schemaFaults, type JobSpec, type SchemaFault } from '@gleaner/protocol';
import { Option } from 'commander';
import { z } from 'zod';
import { CliError, EXIT } from './cli-error.js';
import { readJobText } from './job-text.js';
import { quotedList } from './terminal/output.js';

/** A job file whose inputs may still be files on this machine. */
export interface JobFile {
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Inputs by name: a blob id, or a path relative to the job file. */
  readonly inputs: Readonly<Record<string, JobInput>>;
}

type JobInput =
  { readonly kind: 'blob'; readonly blobId: string } | { readonly kind: 'file'; readonly path: string };

const BLOB_PREFIX = 'sha256:';
/** Of an input that is not read yet. */
const SOME_BLOB_ID = `${BLOB_PREFIX}${'0'.repeat(64)}`;

/** Fields that are text although a number, or a placeholder, stands in them. */
const TEXTS = /^\/(args\/\d+|env\/[^/]+|limits\/maxCycles)$/;

const looseJob = z.looseObject({ inputs: z.record(z.string(), z.string()).optional() });

/**
 * Reads a job file in JSON or YAML. An input that is not `sha256:…` is a path relative to the job file; `overrides`
 * (`NAME=PATH`, relative to the working directory) come before both.
 *
 * @throws {CliError} that names every fault with its JSON pointer, before an input is read or sent
 */
export async function readJobFile(path: string, overrides: readonly string[]): Promise<JobFile> {
  const content = await readJobText(path);
  const parsed = looseJob.safeParse(content);
  if (!parsed.success) throw invalidJob(path, schemaFaults(looseJob, content, parsed.error.issues));
  const inputs: Record<string, JobInput> = {};
  for (const [name, value] of Object.entries(parsed.data.inputs ?? {})) {
    inputs[name] = value.startsWith(BLOB_PREFIX)
      ? { kind: 'blob', blobId: value }
      : { kind: 'file', path: resolve(dirname(path), value) };
  }
  for (const [name, file] of overrides.map(parseInputOption)) {
    if (!Object.hasOwn(inputs, name)) throw unknownInput(name, Object.keys(inputs));
    inputs[name] = { kind: 'file', path: resolve(file) };
  }
  const file = { path, content: parsed.data, inputs };
  const blobIds: Record<string, string> = {};
  for (const [name, input] of Object.entries(inputs)) {
    blobIds[name] = input.kind === 'blob' ? input.blobId : SOME_BLOB_ID;
  }
  completeJob(file, blobIds);
  return file;
}

/**
 * The job with the blob ids of its inputs, checked as the coordinator checks it.
 *
 * @throws {CliError} that names every fault with its JSON pointer
 */
export function completeJob(file: JobFile, blobIds: Readonly<Record<string, string>>): JobSpec {
  const content = { ...file.content, inputs: blobIds };
  const parsed = jobSpec.safeParse(content);
  const faults = parsed.success
    ? checkJobSpec(parsed.data)
    : schemaFaults(jobSpec, content, parsed.error.issues);
  if (parsed.success && faults.length === 0) return parsed.data;
  throw invalidJob(
    file.path,
    faults.map((fault) => withAdvice(fault, content)),
  );
}

/** What a fault has to do with the form in which the file is written. */
function withAdvice({ pointer, detail }: SchemaFault, content: unknown): SchemaFault {
  const given = valueAt(content, pointer);
  if (typeof given === 'bigint') {
    const advice = 'where text will do, write it in quotes';
    return { pointer, detail: `${given} is beyond 2^53, where numbers are not exact: ${advice}` };
  }
  if (!TEXTS.test(pointer)) return { pointer, detail };
  if (typeof given === 'number') return { pointer, detail: `${detail}: write it in quotes` };
  const isMapping = typeof given === 'object' && given !== null && !Array.isArray(given);
  return { pointer, detail: isMapping ? `${detail}: in YAML, "{…}" needs quotes` : detail };
}

/** @param pointer as RFC 6901 has it */
function valueAt(value: unknown, pointer: string): unknown {
  const parts = pointer.split('/').slice(1);
  return parts.reduce<unknown>((at, part) => {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined;
  }, value);
}

function invalidJob(path: string, faults: readonly SchemaFault[]): CliError {
  // A number that is too large is so by several rules.
  const lines = new Set(faults.map(({ pointer, detail }) => `  ${pointer || '/'}: ${detail}`));
  return new CliError([`${path} is not a valid job:`, ...lines].join('\n'), EXIT.usage);
}

/** A file that no unit would see: most often a name with a typing error. */
function unknownInput(name: string, known: readonly string[]): CliError {
  const instead = known.length === 0 ? 'it has none' : `its inputs are ${quotedList(known)}`;
  return new CliError(`--input ${name}: the job file has no input of this name; ${instead}`, EXIT.usage);
}

/** `--input NAME=PATH`, once for each: an option that takes several would take the job file behind it as well. */
export function inputOption(): Option {
  return new Option('--input <name=path>', 'file for an input of the job; repeatable')
    .argParser((text: string, before: readonly string[]) => [...before, text])
    .default([], 'as the job file says');
}

/** `NAME=PATH` of the option `--input`. */
function parseInputOption(text: string): [name: string, path: string] {
  const equals = text.indexOf('=');
  if (equals < 1 || equals === text.length - 1) {
    throw new CliError(`--input takes NAME=PATH, not "${text}"`, EXIT.usage);
  }
  return [text.slice(0, equals), text.slice(equals + 1)];
}

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkJobSpec } from '@gleaner/domain';
import { blobId, jobSpec, schemaFaults, type JobSpec, type SchemaFault } from '@gleaner/protocol';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { CliError, EXIT, reasonOf } from './cli-error.js';
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

const looseJob = z.looseObject({ inputs: z.record(z.string(), z.string()).optional() });

/**
 * Reads a job file in JSON or YAML. An input that is not `sha256:…` is a path relative to the job file; `overrides`
 * (`NAME=PATH`, relative to the working directory) come before both.
 */
export async function readJobFile(path: string, overrides: readonly string[]): Promise<JobFile> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CliError(`Cannot read the job file ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  });
  const content = parseText(path, text);
  const parsed = looseJob.safeParse(content);
  if (!parsed.success) throw invalidJob(path, schemaFaults(looseJob, content, parsed.error.issues));
  const inputs: Record<string, JobInput> = {};
  for (const [name, value] of Object.entries(parsed.data.inputs ?? {})) {
    inputs[name] = blobId.safeParse(value).success
      ? { kind: 'blob', blobId: value }
      : { kind: 'file', path: resolve(dirname(path), value) };
  }
  for (const [name, file] of overrides.map(parseInputOption)) {
    if (!Object.hasOwn(inputs, name)) throw unknownInput(name, Object.keys(inputs));
    inputs[name] = { kind: 'file', path: resolve(file) };
  }
  return { path, content: parsed.data, inputs };
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
  throw invalidJob(file.path, faults);
}

function invalidJob(path: string, faults: readonly SchemaFault[]): CliError {
  const lines = faults.map(({ pointer, detail }) => `  ${pointer || '/'}: ${detail}`);
  return new CliError([`${path} is not a valid job:`, ...lines].join('\n'), EXIT.usage);
}

/** A file that no unit would see: most often a name with a typing error. */
function unknownInput(name: string, known: readonly string[]): CliError {
  const instead = known.length === 0 ? 'it has none' : `its inputs are ${quotedList(known)}`;
  return new CliError(`--input ${name}: the job file has no input of this name; ${instead}`, EXIT.usage);
}

/** `NAME=PATH` of the option `--input`. */
function parseInputOption(text: string): [name: string, path: string] {
  const equals = text.indexOf('=');
  if (equals < 1 || equals === text.length - 1) {
    throw new CliError(`--input takes NAME=PATH, not "${text}"`, EXIT.usage);
  }
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function parseText(path: string, text: string): unknown {
  try {
    // YAML 1.2 contains JSON; `core` keeps dates and such as text.
    return parseYaml(text, { schema: 'core', maxAliasCount: 100 });
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new CliError(`${path} is neither JSON nor YAML: ${error.message}`, EXIT.usage, { cause: error });
  }
}

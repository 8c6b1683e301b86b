import { readFile } from 'node:fs/promises';
import { basename, relative, dirname, resolve } from 'node:path';
import { readSahHeader, SahFormatError, searchJob } from '@gleaner/example-seti-classic';
import type { Command } from 'commander';
import { AnswerFile } from '../answer-file.js';
import { uploadWithBar } from '../api/upload-with-bar.js';
import { CliError, EXIT, reasonOf } from '../cli-error.js';
import { apiOf, withCommonOptions, type CommonOptions } from '../common-options.js';
import { stopSignal } from '../processes/stop-signal.js';
import { note, print, printJson } from '../terminal/output.js';

interface ImportOptions extends CommonOptions {
  readonly app: string;
  readonly output?: string;
  readonly upload: boolean;
}

export function registerImport(program: Command): void {
  const command = program.command('import').description('turn data of other projects into jobs');
  withCommonOptions(command.command('sah <file>'))
    .description('a SETI@home work unit: uploads the tape and writes the job file that searches it')
    .option('--app <name@version>', 'app that searches it', 'seti-classic@1')
    .option('-o, --output <file>', 'job file to write; default: NAME.job.json here')
    .option('--no-upload', 'keep the tape on this machine: for "gleaner run --local"')
    .action(importSah);
}

async function importSah(file: string, options: ImportOptions): Promise<void> {
  const header = readHeader(file, await readTape(file));
  const output = options.output ?? `${basename(file).replace(/\.[^.]*$/, '')}.job.json`;
  // Before the upload, which may take hours.
  await using jobFile = await AnswerFile.create(output);
  // A path in a job file is relative to the job file.
  const tape = options.upload
    ? await upload(file, options)
    : relative(dirname(resolve(output)), resolve(file));
  const job = searchJob({ name: header.name.slice(0, 80), app: options.app, tape });
  await jobFile.write(Buffer.from(`${JSON.stringify(job, null, 2)}\n`));
  await jobFile.finish();
  if (options.json) {
    printJson({ jobFile: output, tape, header });
    return;
  }
  note(
    `Tape ${header.name}: ${header.baseHz} Hz, ${header.sampleRateHz} samples/s, threshold ${header.spikeThreshold}`,
  );
  print(output);
}

async function readTape(file: string): Promise<Uint8Array> {
  return readFile(file).catch((error: unknown) => {
    throw new CliError(`Cannot read ${file}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  });
}

/** @throws {CliError} when the file is no SETI@home work unit */
function readHeader(file: string, bytes: Uint8Array): ReturnType<typeof readSahHeader> {
  try {
    return readSahHeader(bytes);
  } catch (error) {
    if (!(error instanceof SahFormatError)) throw error;
    throw new CliError(`${file}: ${error.message}`, EXIT.usage, { cause: error });
  }
}

async function upload(file: string, options: ImportOptions): Promise<string> {
  const signal = stopSignal();
  const blob = await uploadWithBar(apiOf(options, signal), file, basename(file), signal);
  return blob.blobId;
}

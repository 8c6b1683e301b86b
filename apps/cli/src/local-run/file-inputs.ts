import { createReadStream } from 'node:fs';
import type { SplitInputs } from '@gleaner/domain';
import { CliError, EXIT } from '../cli-error.js';

/** A file of this machine as an input of a job. */
export interface LocalInput {
  readonly path: string;
  readonly blobId: string;
  readonly sizeBytes: number;
}

/** Lets the splitter read files of this machine. */
export function fileInputs(inputs: Readonly<Record<string, LocalInput>>): SplitInputs {
  const inputOf = (name: string): LocalInput => {
    const input = inputs[name];
    if (!input) throw new CliError(`The job cuts an input "${name}" that it does not have`, EXIT.usage);
    return input;
  };
  return {
    sizeBytes: (name) => inputOf(name).sizeBytes,
    async *read(name, offset, length) {
      if (length === 0) return;
      const stream = createReadStream(inputOf(name).path, { start: offset, end: offset + length - 1 });
      for await (const bytes of stream as AsyncIterable<Buffer>) yield bytes;
    },
  };
}

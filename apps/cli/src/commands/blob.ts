import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Blob, blob as blobSchema, blobId as blobIdSchema, hexOfBlobId } from '@gleaner/protocol';
import type { Command } from 'commander';
import type { ApiClient } from '../api/api-client.js';
import { download } from '../api/download.js';
import { uploadWithBar } from '../api/upload-with-bar.js';
import { CliError, EXIT, reasonOf } from '../cli-error.js';
import { apiOf, withCommonOptions, type CommonOptions } from '../common-options.js';
import { stopSignal } from '../processes/stop-signal.js';
import { print, printJson } from '../terminal/output.js';

export function registerBlob(program: Command): void {
  const blob = program.command('blob').description('input files: upload, download');
  withCommonOptions(blob.command('put <file...>'))
    .description('upload files; prints the blob id of each')
    .option('--gunzip', 'store the content of a .gz file')
    .action(async (files: string[], options: CommonOptions & { gunzip?: true }) => {
      const api = apiOf(options);
      const signal = stopSignal();
      const blobs: Blob[] = [];
      for (const file of files) blobs.push(await putFile(api, file, options.gunzip ?? false, signal));
      if (options.json) printJson(blobs);
      else for (const { blobId } of blobs) print(blobId);
    });
  withCommonOptions(blob.command('get <id>'))
    .description('download a blob')
    .option('-o, --output <file>', OUTPUT_OPTION)
    .action(async (id: string, options: CommonOptions & { output?: string }) => {
      const api = apiOf(options);
      if (options.json && options.output === undefined) {
        const { blobId, sizeBytes } = await api.request(`/v1/blobs/${id}`, blobSchema);
        printJson({ blobId, file: null, sizeBytes, sha256: hexOfBlobId(blobId) });
        return;
      }
      const named = blobIdSchema.safeParse(id);
      const stored = await download(api, `/v1/blobs/${id}/content`, options.output, {
        signal: stopSignal(),
        // What is no id the coordinator refuses.
        ...(named.success && { sha256: hexOfBlobId(named.data) }),
      });
      if (options.json) printJson({ blobId: `sha256:${stored.sha256}`, ...stored });
    });
}

async function putFile(api: ApiClient, file: string, gunzip: boolean, signal: AbortSignal): Promise<Blob> {
  const found = await stat(file).catch((error: unknown) => {
    throw new CliError(`Cannot read ${file}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  });
  if (!found.isFile()) throw new CliError(`Cannot upload ${file}: it is not a file`, EXIT.usage);
  if (!gunzip) return uploadWithBar(api, file, basename(file), signal);
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-gunzip-'));
  try {
    const unpacked = join(directory, basename(file, '.gz'));
    await unpack(file, unpacked, signal);
    return await uploadWithBar(api, unpacked, basename(unpacked), signal);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function unpack(file: string, unpacked: string, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(createReadStream(file), createGunzip(), createWriteStream(unpacked), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new CliError(`Cannot unpack ${file} as gzip: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  }
}

/** Of commands that fetch content. */
export const OUTPUT_OPTION = 'write it there instead of stdout; --json tells file, size and SHA-256';

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import {
  type Blob,
  blob as blobSchema,
  blobId as blobIdSchema,
  deletedBlob,
  formatBytes,
  hexOfBlobId,
  ownBlob,
  type OwnBlob,
  ownBlobPage,
  type UploadRoom,
} from '@gleaner/protocol';
import type { Command } from 'commander';
import type { ApiClient } from '../api/api-client.js';
import { download } from '../api/download.js';
import { uploadWithBar } from '../api/upload-with-bar.js';
import { CliError, EXIT, isSystemError, reasonOf } from '../cli-error.js';
import { apiOf, withCommonOptions, wholeNumber, type CommonOptions } from '../common-options.js';
import { stopSignal } from '../processes/stop-signal.js';
import { note, print, printJson, tableLines } from '../terminal/output.js';

export function registerBlob(program: Command): void {
  const blob = program.command('blob').description('input files: upload, download, list, delete');
  withCommonOptions(blob.command('put <file...>'))
    .description('upload files; prints the blob id of each')
    .option('--gunzip', 'store the content of a .gz file')
    .action(async (files: string[], options: CommonOptions & { gunzip?: true }) => {
      const signal = stopSignal();
      const api = apiOf(options, signal);
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
  withCommonOptions(blob.command('list'))
    .description('what you have uploaded, unfinished uploads included, and how much that may be')
    .option('--limit <n>', 'rows', wholeNumber(1, 10_000), 50)
    .action(async (options: CommonOptions & { limit: number }) => {
      const api = apiOf(options);
      const blobs = await api.list('/v1/blobs', ownBlob, options.limit);
      const { room } = await api.request('/v1/blobs', ownBlobPage, { query: { limit: '1' } });
      if (options.json) printJson({ blobs, room });
      else print([...uploadLines(blobs, room), roomLine(room)].join('\n'));
    });
  withCommonOptions(blob.command('delete <id...>'))
    .description('give up what you have uploaded: blobs by their ids, unfinished uploads by theirs')
    .action(async (ids: string[], options: CommonOptions) => {
      const api = apiOf(options);
      for (const id of ids) {
        const { isGone } = await giveUp(api, id);
        if (options.json) continue;
        note(
          isGone ? `${id} is deleted.` : `${id} goes within half an hour, and its room is free again then.`,
        );
      }
      if (options.json) printJson({ deleted: ids });
    });
}

async function giveUp(api: ApiClient, id: string): Promise<{ isGone: boolean }> {
  if (blobIdSchema.safeParse(id).success) {
    return await api.request(`/v1/blobs/${id}`, deletedBlob, { method: 'DELETE' });
  }
  const headers = { 'tus-resumable': '1.0.0' };
  await api.send(`/v1/uploads/${encodeURIComponent(id)}`, { method: 'DELETE', headers });
  return { isGone: true };
}

function uploadLines(blobs: readonly OwnBlob[], { unfinished }: UploadRoom): string[] {
  return tableLines(
    ['id', 'size', 'since', 'needed by'],
    [
      ...unfinished.map((upload) => [
        upload.uploadId,
        formatBytes(upload.sizeBytes),
        upload.begunAt,
        'unfinished',
      ]),
      ...blobs.map((blob) => [
        blob.blobId,
        formatBytes(blob.sizeBytes),
        blob.uploadedAt,
        neededBy(blob.references),
      ]),
    ],
  );
}

function neededBy(references: number): string {
  if (references === 0) return 'nothing';
  return references === 1 ? '1 job or app' : `${references} jobs or apps`;
}

function roomLine({ heldBytes, maxBytes }: UploadRoom): string {
  const of = maxBytes === null ? '' : ` of the ${formatBytes(maxBytes)} that they may`;
  return `They hold ${formatBytes(heldBytes)}${of}.`;
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
    if (isSystemError(error) && (error.syscall === 'write' || error.path === unpacked)) {
      throw new CliError(`Cannot unpack ${file} into ${tmpdir()} (TMPDIR): ${reasonOf(error)}`);
    }
    throw new CliError(`Cannot unpack ${file} as gzip: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  }
}

/** Of commands that fetch content. */
export const OUTPUT_OPTION = 'write it there instead of stdout; --json tells file, size and SHA-256';

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type Blob,
  blob as blobSchema,
  hexOfBlobId,
  type Problem,
  problem as problemSchema,
} from '@gleaner/protocol';
import { DetailedError, Upload } from 'tus-js-client';
import { CliError, EXIT } from '../cli-error.js';
import { ApiProblemError, type ApiClient } from './api-client.js';
import { problemLines } from './problem-lines.js';

/** Bytes of one PATCH: small enough that a dropped connection costs little. */
const PATCH_BYTES = 16 * 1024 * 1024;
const RETRY_DELAYS_MS = [500, 1_000, 3_000, 10_000, 30_000];

export interface UploadOptions {
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** SHA-256 of a file as a blob id, and its size in bytes. */
export async function identifyFile(path: string): Promise<{ blobId: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(bytes);
    sizeBytes += bytes.length;
  }
  return { blobId: `sha256:${hash.digest('hex')}`, sizeBytes };
}

/** Uploads a file by tus unless the coordinator has its content already, and returns the blob. */
export async function uploadBlob(api: ApiClient, path: string, options: UploadOptions = {}): Promise<Blob> {
  const { blobId } = await identifyFile(path);
  const present = await findBlob(api, blobId);
  if (present) return present;
  try {
    await uploadByTus(api, path, blobId, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    // What has become a blob is no upload any more: whoever missed the answer to the last part finds none to go on with.
    const stored = await findBlob(api, blobId).catch(() => undefined);
    if (!stored) throw error;
    return stored;
  }
  return api.request(`/v1/blobs/${blobId}`, blobSchema);
}

async function findBlob(api: ApiClient, blobId: string): Promise<Blob | undefined> {
  try {
    return await api.request(`/v1/blobs/${blobId}`, blobSchema);
  } catch (error) {
    if (error instanceof ApiProblemError && (error.status === 404 || error.status === 403)) return undefined;
    throw error;
  }
}

async function uploadByTus(
  api: ApiClient,
  path: string,
  blobId: string,
  options: UploadOptions,
): Promise<void> {
  const { size } = await stat(path);
  const uploadUrl = await createUpload(api, path, size, blobId);
  // Nothing is left to send of an empty file: it was stored when its upload was created.
  if (size === 0) return;
  const { token } = api.target;
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  // tus-js-client's types name only the readers of browsers; in Node it takes a file stream.
  const content = createReadStream(path) as unknown as Pick<ReadableStreamDefaultReader, 'read'>;
  const upload = new Upload(content, {
    uploadUrl,
    uploadSize: size,
    chunkSize: PATCH_BYTES,
    retryDelays: RETRY_DELAYS_MS,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    onProgress: (sent, total) => options.onProgress?.(sent, total),
    onSuccess: () => {
      resolve();
    },
    onError: (error) => {
      reject(uploadError(error));
    },
  });
  const stop = (): void => {
    reject(new DOMException('the upload was stopped', 'AbortError'));
    // The coordinator forgets unfinished uploads by itself; telling it is a courtesy.
    upload.abort(true).catch(() => undefined);
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    upload.start();
    await done;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

/** Begins an upload (tus: creation), and returns its address; the coordinator tells the path, without a proxy's prefix. */
async function createUpload(api: ApiClient, path: string, size: number, blobId: string): Promise<string> {
  const metadata = { filename: basename(path), sha256: hexOfBlobId(blobId) };
  const created = await api.send('/v1/uploads', {
    method: 'POST',
    headers: {
      'tus-resumable': '1.0.0',
      'upload-length': String(size),
      'upload-metadata': Object.entries(metadata)
        .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
        .join(','),
    },
  });
  const location = created.headers.get('location');
  if (location === null)
    throw new CliError('The coordinator did not say where to upload to', EXIT.unreachable);
  return api.urlOf(location).href;
}

function uploadError(error: Error): CliError {
  const answer = error instanceof DetailedError ? error.originalResponse?.getBody() : undefined;
  const problem = problemOf(answer);
  const text = problem ? problemLines(problem).join('\n') : answer || error.message;
  return new CliError(`The upload failed: ${text}`, EXIT.refused, { cause: error });
}

function problemOf(body: string | undefined): Problem | undefined {
  try {
    return problemSchema.parse(JSON.parse(body ?? ''));
  } catch {
    return undefined;
  }
}

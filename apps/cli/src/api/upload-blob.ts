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
import { ANOTHER_TOKEN, ApiProblemError, type ApiClient } from './api-client.js';
import { answeredByAnother } from './answers-of-others.js';
import { BegunUpload } from './begun-upload.js';
import { problemLines } from './problem-lines.js';

/** Bytes of one PATCH: small enough that a dropped connection costs little. */
const PATCH_BYTES = 16 * 1024 * 1024;
export const GOES_ON = 'the same command goes on from there';
const RETRY_DELAYS_MS = [500, 1_000, 3_000, 10_000, 30_000];

export interface UploadOptions {
  /** Before anything is sent, the whole file is read: its content is its name. */
  readonly onRead?: (readBytes: number) => void;
  /** Sending begins, where an earlier command left off. */
  readonly onBegin?: (sentBytes: number) => void;
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;
  /** It was stopped by the signal, and a later command goes on from there. */
  readonly onStopped?: (sentBytes: number) => void;
  readonly signal?: AbortSignal;
  /** How long it waits before each try where nobody answers. */
  readonly retryDelaysMs?: readonly number[];
}

/** SHA-256 of a file as a blob id, and its size in bytes. */
export async function identifyFile(
  path: string,
  { signal, onRead }: Pick<UploadOptions, 'signal' | 'onRead'> = {},
): Promise<{ blobId: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>) {
    if (signal?.aborted) break;
    hash.update(bytes);
    sizeBytes += bytes.length;
    onRead?.(sizeBytes);
  }
  signal?.throwIfAborted();
  return { blobId: `sha256:${hash.digest('hex')}`, sizeBytes };
}

/** Uploads a file by tus unless the coordinator has its content already, and returns the blob. */
export async function uploadBlob(api: ApiClient, path: string, options: UploadOptions = {}): Promise<Blob> {
  const { blobId } = await identifyFile(path, options);
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

/** Goes on with the upload that an earlier command has begun, where it is still there. */
async function uploadByTus(
  api: ApiClient,
  path: string,
  blobId: string,
  options: UploadOptions,
): Promise<void> {
  const { size } = await stat(path);
  const begun = BegunUpload.of(api.target.url, blobId);
  const earlier = await begun.address();
  const isResumed =
    earlier !== undefined && (await resumeUpload(api, path, { location: earlier, size, blobId }, options));
  if (!isResumed) {
    const location = await createUpload(api, path, size, blobId);
    // Nothing is left to send of an empty file: it was stored when its upload was created.
    if (size === 0) return;
    const isKept = await begun.remember(location);
    options.onBegin?.(0);
    await sendContent(api, path, { location, size, isKept }, options);
  }
  await begun.forget();
}

/** @returns false where the coordinator knows no such upload any more, and no such blob either */
async function resumeUpload(
  api: ApiClient,
  path: string,
  { location, size, blobId }: { location: string; size: number; blobId: string },
  { onBegin, onProgress, ...options }: UploadOptions,
): Promise<boolean> {
  let hasBegun = false;
  const tell = (sent: number, total: number): void => {
    if (!hasBegun) onBegin?.(sent);
    hasBegun = true;
    onProgress?.(sent, total);
  };
  try {
    await sendContent(api, path, { location, size, isKept: true }, { ...options, onProgress: tell });
    return true;
  } catch (error) {
    const status = error instanceof UploadError ? error.status : undefined;
    if (status !== 404 && status !== 410) throw error;
    return (await findBlob(api, blobId)) !== undefined;
  }
}

interface Begun {
  readonly location: string;
  readonly size: number;
  /** Whether a later command finds it. */
  readonly isKept: boolean;
}

async function sendContent(
  api: ApiClient,
  path: string,
  { location, size, isKept }: Begun,
  { onProgress, onStopped, signal, retryDelaysMs = RETRY_DELAYS_MS }: UploadOptions,
): Promise<void> {
  const { token } = api.target;
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  let sentBytes = 0;
  // tus-js-client's types name only the readers of browsers; in Node it takes a file stream.
  const content = createReadStream(path) as unknown as Pick<ReadableStreamDefaultReader, 'read'>;
  const url = api.urlOf(location);
  const upload = new Upload(content, {
    uploadUrl: url.href,
    uploadSize: size,
    chunkSize: PATCH_BYTES,
    retryDelays: [...retryDelaysMs],
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    onProgress: (sent, total) => {
      sentBytes = sent;
      onProgress?.(sent, total);
    },
    onSuccess: () => {
      resolve();
    },
    onError: (error) => {
      reject(new UploadError(error, url, isKept));
    },
  });
  const stop = (): void => {
    reject(new DOMException('the upload was stopped', 'AbortError'));
    if (isKept) onStopped?.(sentBytes);
    // What nobody finds again the coordinator forgets by itself; telling it is a courtesy.
    upload.abort(!isKept).catch(() => undefined);
  };
  signal?.throwIfAborted();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    upload.start();
    await done;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Begins an upload (tus: creation), and returns its address: a path, without a proxy's prefix. */
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
  return location;
}

class UploadError extends CliError {
  /** Of the coordinator's answer, where there was one. */
  readonly status: number | undefined;

  constructor(cause: Error, url: URL, isKept: boolean) {
    const response = cause instanceof DetailedError ? cause.originalResponse : null;
    const problem = problemOf(response?.getBody());
    const status = response?.getStatus();
    const text = problem ? problemLines(problem).join('\n') : textWithoutProblem(cause, url);
    const exitCode = problem || isWithoutBody(cause) ? EXIT.refused : EXIT.unreachable;
    const lines = [
      `The upload failed: ${text}`,
      ...(status === 401 ? [ANOTHER_TOKEN] : []),
      ...(isKept ? [GOES_ON] : []),
    ];
    super(lines.join('\n'), exitCode, { cause });
    this.status = status;
  }
}

/** Whoever is asked how far an upload is answers with its status alone. */
function isWithoutBody(error: Error): boolean {
  return error instanceof DetailedError && error.originalResponse?.getBody() === '';
}

/** tus tells its whole request, and a proxy a page: neither is for people. */
function textWithoutProblem(error: Error, url: URL): string {
  const status = error instanceof DetailedError ? error.originalResponse?.getStatus() : undefined;
  if (status === undefined) return reasonOfSilence(error);
  return isWithoutBody(error) ? `${url.origin} answered ${status}` : answeredByAnother(url, status);
}

/** Where nobody answers tus tells its whole request; the system's word for it is enough. */
function reasonOfSilence(error: Error): string {
  const reason = error instanceof DetailedError ? error.causingError?.message : undefined;
  return reason === undefined ? error.message : `the coordinator does not answer any more (${reason})`;
}

function problemOf(body: string | undefined): Problem | undefined {
  try {
    return problemSchema.parse(JSON.parse(body ?? ''));
  } catch {
    return undefined;
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { formatBytes } from '@gleaner/protocol';
import { CliError, EXIT, reasonOf } from '../cli-error.js';
import { note } from '../terminal/output.js';
import { type ApiClient, ApiProblemError } from './api-client.js';

const RETRY_DELAYS_MS = [500, 1_000, 3_000, 10_000, 30_000];
/** The entity tag of content is its SHA-256. */
const CONTENT_TAG = /^"([0-9a-f]{64})"$/;

export interface ContentOptions {
  readonly signal: AbortSignal;
  /** Of what is asked for, where its name says it; lower-case hexadecimal. */
  readonly sha256?: string;
  /** How long it waits before each try after a broken connection; what comes in between begins the count anew. */
  readonly retryDelaysMs?: readonly number[];
}

/** Content of the coordinator, read to its end over as many connections as it takes. */
export interface ResumedContent {
  /** Lower-case hexadecimal, as the coordinator tells it; null where a proxy has changed what it sends. */
  readonly sha256: string | null;
  /** From the position on, which is not behind its end. @throws {CliError} where it does not come to its end, or becomes another one on the way */
  readonly bytesFrom: (start: number) => AsyncIterable<Uint8Array>;
}

/** @throws {CliError} when the coordinator does not have it, or not for this token */
export async function resumedContent(
  api: ApiClient,
  path: string,
  { signal, retryDelaysMs = RETRY_DELAYS_MS }: ContentOptions,
): Promise<ResumedContent> {
  // Positions are those of the content itself, not of a packed form of it.
  const plain = { 'accept-encoding': 'identity' };
  const first = await api.send(path, { signal, headers: plain });
  const etag = first.headers.get('etag') ?? '';
  const sha256 = first.headers.has('content-encoding') ? null : (CONTENT_TAG.exec(etag)?.[1] ?? null);

  // Of a packed form of it nothing is known.
  const totalBytes = sha256 === null ? Number.NaN : Number(first.headers.get('content-length') ?? Number.NaN);

  const goOnFrom = async (start: number): Promise<Response> => {
    const headers = { ...plain, range: `bytes=${start}-`, 'if-range': etag };
    const response = await api.send(path, { signal, headers });
    if (response.status === 206) return response;
    await response.body?.cancel();
    throw new CliError(
      'What is downloaded has become something else meanwhile: fetch it again',
      EXIT.failure,
    );
  };

  async function* bytesFrom(start: number): AsyncGenerator<Uint8Array> {
    let response: Response | null = first;
    let sizeBytes = start;
    if (start > 0) {
      await first.body?.cancel();
      if (start >= totalBytes) return;
      response = null;
    }
    let triesInVain = 0;
    for (;;) {
      try {
        response ??= await goOnFrom(sizeBytes);
        const body: AsyncIterable<Uint8Array> = Readable.from(response.body ?? []);
        for await (const part of body) {
          sizeBytes += part.length;
          triesInVain = 0;
          yield part;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        // Behind the last byte there is nothing to go on with.
        if (sizeBytes >= totalBytes) return;
        if (!mayPass(error)) throw error;
        const waitMs = sha256 === null ? undefined : retryDelaysMs[triesInVain];
        if (waitMs === undefined) throw brokenOff(sizeBytes, error);
        note(`The download broke off after ${formatBytes(sizeBytes)}: going on in ${waitMs / 1000} s`);
        await delay(waitMs, undefined, { signal });
        triesInVain += 1;
        response = null;
      }
    }
  }
  return { sha256, bytesFrom };
}

/** A connection that broke, or a coordinator that is away for a while; not what it refuses. */
function mayPass(error: unknown): boolean {
  if (error instanceof ApiProblemError) return error.status >= 500;
  return !(error instanceof CliError) || error.exitCode === EXIT.unreachable;
}

function brokenOff(sizeBytes: number, error: unknown): CliError {
  const reason = reasonOf(innermostCause(error));
  return new CliError(
    `The download broke off after ${formatBytes(sizeBytes)} (${reason}): fetch it again`,
    EXIT.unreachable,
    { cause: error },
  );
}

/** What the system said; what is around it says that a call failed. */
function innermostCause(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? innermostCause(error.cause) : error;
}

import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { job as jobSchema, type Job } from '@gleaner/protocol';
import { EXIT, CliError, reasonOf } from '../cli-error.js';
import { ApiProblemError, type ApiClient } from './api-client.js';
import { readEvents } from './event-stream.js';

/** The server says something at least every 15 s, or a proxy on the way keeps it to itself. */
const SILENCE_MS = 40_000;
const POLL_MS = 1_000;
/** A coordinator that is away may be one that is being restarted. */
const ABSENT_POLLS_MAX = 60;

/**
 * A job whenever it has changed, until it has ended: by server-sent events, from where they broke off, and by asking where
 * these do not come through.
 *
 * @param onAbsent hears why the coordinator does not answer, each time that this begins
 */
export async function* followJob(
  api: ApiClient,
  id: string,
  signal: AbortSignal,
  onAbsent: (why: string) => void = () => undefined,
): AsyncGenerator<Job> {
  const stream: Stream = { lastEventId: '' };
  for (;;) {
    try {
      for await (const job of listen(api, id, stream, signal)) {
        yield job;
        if (job.finishedAt !== null) return;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiProblemError && error.status < 500 && error.status !== 429) throw error;
    }
    await delay(POLL_MS, undefined, { signal });
    const job = await askPatiently(api, id, signal, onAbsent);
    yield job;
    if (job.finishedAt !== null) return;
  }
}

interface Stream {
  lastEventId: string;
}

async function* listen(api: ApiClient, id: string, stream: Stream, signal: AbortSignal): AsyncGenerator<Job> {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort(new Error('no event came'));
  }, SILENCE_MS);
  try {
    const response = await api.send(`/v1/jobs/${id}/events`, {
      signal: AbortSignal.any([signal, silence.signal]),
      headers: {
        accept: 'text/event-stream',
        ...(stream.lastEventId !== '' && { 'last-event-id': stream.lastEventId }),
      },
    });
    const body: AsyncIterable<Uint8Array> = Readable.from(response.body ?? []);
    for await (const { id: eventId, event, data } of readEvents(body, () => timer.refresh())) {
      if (eventId !== '') stream.lastEventId = eventId;
      if (event === 'job') yield jobSchema.parse(JSON.parse(data));
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

async function askPatiently(
  api: ApiClient,
  id: string,
  signal: AbortSignal,
  onAbsent: (why: string) => void,
): Promise<Job> {
  for (let polls = 1; ; polls += 1) {
    try {
      return await api.request(`/v1/jobs/${id}`, jobSchema, { signal });
    } catch (error) {
      if (!isAbsent(error) || polls >= ABSENT_POLLS_MAX) throw error;
      if (polls === 1) onAbsent(reasonOf(error));
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Nobody answers, or whoever does says that the coordinator cannot just now: its database may be the one that is away. */
function isAbsent(error: unknown): boolean {
  if (error instanceof ApiProblemError) return error.status >= 500;
  return error instanceof CliError && error.exitCode === EXIT.unreachable;
}

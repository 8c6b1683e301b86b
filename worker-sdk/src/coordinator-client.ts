import {
  heartbeatResponse,
  problem as problemSchema,
  UNKNOWN_FIELD,
  workResponse,
  type HeartbeatRequestInput,
  type HeartbeatResponse,
  type Problem,
  type WorkRequestInput,
  type WorkResponse,
} from '@gleaner/protocol';
import { z } from 'zod';
import { networkReason } from './network-reason.js';

/**
 * Why a call failed. `unreachable`: no answer at all. `unavailable`: a 5xx or 429, worth another try. `revoked`: the
 * token is not (any longer) accepted. `too-old`: this protocol version is no longer spoken. `refused`: a problem
 * document that another try will not change. `not-a-coordinator`: an answer, but not one of Gleaner's.
 */
export type CoordinatorErrorKind =
  'unreachable' | 'unavailable' | 'revoked' | 'too-old' | 'refused' | 'not-a-coordinator';

/** A call to the coordinator that failed; the message is one sentence for the volunteer. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError';
  constructor(
    readonly kind: CoordinatorErrorKind,
    message: string,
    readonly details: {
      readonly problem?: Problem;
      readonly retryAfterMs?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
  }
}

/** Bytes of an answer that is read at all: 64 tasks with their jobs take well under a megabyte. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 60_000;
/** The slowest line on which a body still arrives: results of a day, or an output, may take longer than any answer. */
const SLOW_LINE_BYTES_PER_SECOND = 16 * 1024;
/** However long whoever answers in the coordinator's place asks to be left alone. */
const MAX_RETRY_AFTER_MS = 3_600_000;

export interface CoordinatorClientInit {
  readonly baseUrl: URL;
  /** `gln_…`; absent only for anonymous attachment. */
  readonly token?: string;
  /** Of whoever works as the host, drawn at its start. */
  readonly instance?: string;
  /** Milliseconds until an unanswered call is given up, beside what its body takes on a slow line; 60,000 when left out. */
  readonly timeoutMs?: number;
}

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: { readonly contentType: string; readonly bytes: string | Blob };
  readonly signal: AbortSignal;
}

/** The coordinator's endpoints for hosts, with every answer checked against its schema. */
export class CoordinatorClient {
  constructor(private readonly init: CoordinatorClientInit) {}

  get baseUrl(): URL {
    return this.init.baseUrl;
  }

  /** Headers that identify the host. */
  credentials(): Readonly<Record<string, string>> {
    return this.init.token === undefined ? {} : { authorization: `Bearer ${this.init.token}` };
  }

  /** POST /v1/work: hands in results and asks for tasks. Repeating a report changes nothing. */
  async work(request: WorkRequestInput, signal: AbortSignal): Promise<WorkResponse> {
    return this.postJson('/v1/work', { ...this.#instance, ...request }, workResponse, signal);
  }

  /** POST /v1/heartbeat: tells what is held and learns what is no longer wanted. */
  async heartbeat(request: HeartbeatRequestInput, signal: AbortSignal): Promise<HeartbeatResponse> {
    return this.postJson('/v1/heartbeat', { ...this.#instance, ...request }, heartbeatResponse, signal);
  }

  /** PUT of one output that the coordinator asked for. */
  async uploadOutput(path: string, bytes: Blob, signal: AbortSignal): Promise<void> {
    const body = { contentType: 'application/octet-stream', bytes };
    const response = await this.#call({ method: 'PUT', path, body, signal });
    await response.body?.cancel();
  }

  /** @throws {CoordinatorError} */
  async postJson<T>(path: string, request: unknown, answer: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const body = { contentType: 'application/json', bytes: JSON.stringify(request) };
    return this.#parse(await this.#call({ method: 'POST', path, body, signal }), answer);
  }

  /** @throws {CoordinatorError} */
  async getJson<T>(path: string, answer: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    return this.#parse(await this.#call({ method: 'GET', path, signal }), answer);
  }

  /** @throws {CoordinatorError} */
  async delete(path: string, signal: AbortSignal): Promise<void> {
    const response = await this.#call({ method: 'DELETE', path, signal });
    await response.body?.cancel();
  }

  get #instance(): { readonly instance?: string } {
    return this.init.instance === undefined ? {} : { instance: this.init.instance };
  }

  async #call(call: Call): Promise<Response> {
    const url = new URL(call.path, this.init.baseUrl);
    const bodyMs = (1000 * bytesOf(call)) / SLOW_LINE_BYTES_PER_SECOND;
    const timeout = AbortSignal.timeout(Math.ceil((this.init.timeoutMs ?? DEFAULT_TIMEOUT_MS) + bodyMs));
    const own = url.origin === this.init.baseUrl.origin ? this.credentials() : {};
    let response: Response;
    try {
      response = await fetch(url, {
        method: call.method,
        headers: {
          accept: 'application/json, application/problem+json',
          ...(call.body && { 'content-type': call.body.contentType }),
          ...own,
        },
        ...(call.body && { body: call.body.bytes }),
        // Followed to another origin, a call would arrive there without its token, and be answered as one that has none.
        redirect: 'manual',
        signal: AbortSignal.any([call.signal, timeout]),
      });
    } catch (error) {
      call.signal.throwIfAborted();
      throw new CoordinatorError('unreachable', `${url.origin} cannot be reached (${networkReason(error)})`, {
        cause: error,
      });
    }
    if (response.ok) return response;
    if (isRedirect(response)) {
      await response.body?.cancel();
      throw new CoordinatorError('not-a-coordinator', redirectText(url, response.headers.get('location')));
    }
    throw await this.#errorOf(url, response);
  }

  async #errorOf(url: URL, response: Response): Promise<CoordinatorError> {
    const retryAfterMs = retryAfterOf(response);
    const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
    const parsed = problemSchema.safeParse(await readJson(response).catch(() => undefined));
    if (!parsed.success) {
      // 501 is how a server says that it does not know POST at all; it will not come to know it by waiting.
      if ((response.status >= 500 && response.status !== 501) || response.status === 429) {
        return new CoordinatorError('unavailable', `${url.origin} answered ${response.status}`, retry);
      }
      return new CoordinatorError(
        'not-a-coordinator',
        `${url.href} answered ${response.status} and is not a Gleaner coordinator: check the URL`,
      );
    }
    const problem = parsed.data;
    const text = olderThanThis(url, problem) ?? textOf(problem);
    if (response.status === 401) {
      return new CoordinatorError('revoked', `${url.origin} does not accept this token: ${text}`, {
        problem,
      });
    }
    if (problem.code === 'agent-too-old') return new CoordinatorError('too-old', text, { problem });
    const unavailable = response.status >= 500 || response.status === 429 || response.status === 408;
    return new CoordinatorError(unavailable ? 'unavailable' : 'refused', text, { problem, ...retry });
  }

  async #parse<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
    let value: unknown;
    try {
      value = await readJson(response);
    } catch (error) {
      throw new CoordinatorError(
        'unreachable',
        `the answer of ${response.url} broke off (${networkReason(error)})`,
        {
          cause: error,
        },
      );
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const what =
      value === undefined
        ? 'no JSON: the login page of a network, or a proxy in between?'
        : `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
    throw new CoordinatorError(
      'not-a-coordinator',
      `${response.url} answered something that is not Gleaner's (${what})`,
      { cause: parsed.error },
    );
  }
}

function bytesOf({ body }: Call): number {
  if (!body) return 0;
  return typeof body.bytes === 'string' ? body.bytes.length : body.bytes.size;
}

async function readJson(response: Response): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let length = 0;
  // A reader rather than `for await`: not every browser iterates streams.
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
    // `as`: a fetched body is always bytes; its type leaves the element open.
    const bytes = read.value as Uint8Array;
    length += bytes.length;
    if (length > MAX_ANSWER_BYTES) {
      await reader?.cancel();
      throw new RangeError(`${response.url} answered more than ${MAX_ANSWER_BYTES} bytes`);
    }
    parts.push(bytes);
  }
  const decoder = new TextDecoder();
  const text = parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON at all: the schema refuses undefined, which tells "not a coordinator".
    return undefined;
  }
}

function isRedirect({ status, type }: Response): boolean {
  // A browser does not tell scripts more of it.
  return type === 'opaqueredirect' || (status >= 300 && status < 400);
}

function redirectText(asked: URL, location: string | null): string {
  const target = location === null ? null : URL.parse(location, asked);
  const where = target === null || target.origin === asked.origin ? 'elsewhere' : `on to ${target.origin}`;
  return (
    `${asked.origin} sends its callers ${where}: look there with a browser; it is the login page of a network, ` +
    'or the project has moved and that is the address to attach to'
  );
}

/** Faults that are told; of many the first say enough. */
const TOLD_FAULTS = 3;

/** What is wrong, and in which fields of the request. */
function textOf({ title, detail = title, errors = [] }: Problem): string {
  const faults = errors.slice(0, TOLD_FAULTS).map((fault) => `${fault.pointer}: ${fault.detail}`);
  const untold = faults.filter((fault) => !detail.includes(fault));
  return untold.length === 0 ? detail : `${detail} (${untold.join('; ')})`;
}

/**
 * Of a coordinator that has not come as far as this program, which alone writes what it sends. Waiting helps once its operator has
 * brought it up to date.
 */
function olderThanThis(url: URL, { errors = [] }: Problem): string | undefined {
  const unknown = errors.filter(({ detail }) => detail.startsWith(UNKNOWN_FIELD)).slice(0, TOLD_FAULTS);
  if (unknown.length === 0) return undefined;
  const fields = unknown.map(({ pointer }) => pointer).join(', ');
  return (
    `${url.origin} runs an older version of Gleaner than this agent, and does not know ${fields}: its operator has to ` +
    'bring it up to date; until then an older agent can work for it'
  );
}

function retryAfterOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return seconds >= 0 ? Math.min(MAX_RETRY_AFTER_MS, seconds * 1000) : undefined;
}

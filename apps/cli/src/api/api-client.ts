import { setTimeout as delay } from 'node:timers/promises';
import { LIMITS, problem as problemSchema } from '@gleaner/protocol';
import { z } from 'zod';
import { CliError, EXIT, reasonOf } from '../cli-error.js';
import { note } from '../terminal/output.js';
import { VERSION } from '../version.js';
import { anothersAnswer, LostAnswerError, silence } from './answers-of-others.js';
import { problemLines } from './problem-lines.js';

/** Where and as whom the command speaks. */
export interface ApiTarget {
  readonly url: string;
  readonly token: string | undefined;
}

export interface ApiCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: { readonly contentType: string; readonly bytes: Uint8Array<ArrayBuffer> };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What an account may call is counted anew each minute; programs of one account may take each other's turn. */
const WAIT_SECONDS_MAX = 60;
const WAITS_MAX = 5;

const NO_CONTENT = 204;
const PAGE_TYPE = /^text\/html\b/;

/** Whoever waits is told so. */
const SLOW_AFTER_MS = 10_000;

/** Who has answered just now does not take longer to say which version it is. */
const VERSION_WITHIN_MS = 5_000;
const apiDocument = z.object({ info: z.object({ title: z.literal('Gleaner'), version: z.string() }) });

const A_TOKEN = 'Give your token with --token or in GLEANER_TOKEN.';
/** What to do where a token is no longer accepted, as one that was revoked in the midst of something. */
export const ANOTHER_TOKEN =
  'Make another on the website (account, settings), or have an operator make one, and give that with --token or in GLEANER_TOKEN.';

/** Calls the coordinator's REST API; every failure becomes a {@link CliError} that reads like a sentence. */
export class ApiClient {
  constructor(
    readonly target: ApiTarget,
    /** Ends every call that has no signal of its own. */
    private readonly stopped?: AbortSignal,
  ) {}

  /** Address of a path of the API, behind whatever prefix a proxy has put before it. */
  urlOf(path: string): URL {
    return new URL(`${this.target.url.replace(/\/+$/, '')}${path}`);
  }

  /** The answer, checked against its schema. */
  async request<T>(path: string, schema: z.ZodType<T>, call: ApiCall = {}): Promise<T> {
    const response = await this.send(path, call);
    const value = parseJson(await textOf(response, this.#signalOf(call)));
    if (value === undefined) throw answeredAsPage(response);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new CliError(
      `${response.url} answered something else than this command, of version ${VERSION}, expects. ${versionAdvice(await this.#version())}: ${z.prettifyError(parsed.error)}`,
      EXIT.unreachable,
    );
  }

  /** Has something done of which nothing is to be told but that. Whoever answers otherwise, such as a network's login page, has not done it. */
  async order(path: string, call: ApiCall): Promise<void> {
    const response = await this.send(path, call);
    await response.body?.cancel();
    if (response.status !== NO_CONTENT) throw answeredAsPage(response);
  }

  /** Of the coordinator; null where nobody says that it is one. */
  async #version(): Promise<string | null> {
    try {
      const response = await this.#fetch(this.urlOf('/v1/openapi.json'), {
        signal: AbortSignal.timeout(VERSION_WITHIN_MS),
      });
      return apiDocument.parse(await response.json()).info.version;
    } catch {
      return null;
    }
  }

  /** All items of a keyset-paginated list that the query leaves, at most `limit`. */
  async list<T>(
    path: string,
    item: z.ZodType<T>,
    limit: number,
    query: Readonly<Record<string, string>> = {},
  ): Promise<T[]> {
    const items: T[] = [];
    for await (const page of this.pages(path, item, limit, query)) items.push(...page);
    return items;
  }

  /** The same, page by page: a list may be longer than there is memory for. */
  async *pages<T>(
    path: string,
    item: z.ZodType<T>,
    limit: number,
    query: Readonly<Record<string, string>> = {},
  ): AsyncGenerator<T[]> {
    let left = limit;
    const pageSchema = z.object({ items: z.array(item), nextCursor: z.string().nullable() });
    let cursor: string | undefined;
    do {
      const pageSize = Math.min(left, LIMITS.pageSize);
      const page = await this.request(path, pageSchema, {
        query: { ...query, limit: `${pageSize}`, ...(cursor !== undefined && { cursor }) },
      });
      yield page.items.slice(0, left);
      left -= page.items.length;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && left > 0);
  }

  /** The raw answer, which is no page, of a call that succeeded, which may have to wait for its turn. */
  async send(path: string, call: ApiCall = {}): Promise<Response> {
    const url = this.urlOf(path);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    let response = await this.#fetch(url, call);
    for (let waits = 0; waits < WAITS_MAX; waits += 1) {
      const seconds = askedToWaitSeconds(response);
      if (seconds === null) break;
      note(`The coordinator has had many calls of yours: going on in ${seconds} s`);
      await response.body?.cancel();
      const signal = this.#signalOf(call);
      await delay(seconds * 1000, undefined, signal ? { signal } : {});
      response = await this.#fetch(url, call);
    }
    if (response.ok && PAGE_TYPE.test(response.headers.get('content-type') ?? '')) {
      await response.body?.cancel();
      throw answeredAsPage(response);
    }
    if (response.ok) return response;
    if (response.status >= 300 && response.status < 400) throw redirected(url, response);
    throw await errorOf(url, response, this.target.token !== undefined);
  }

  #signalOf(call: ApiCall): AbortSignal | undefined {
    return call.signal ?? this.stopped;
  }

  async #fetch(url: URL, call: ApiCall): Promise<Response> {
    const { token } = this.target;
    const contentType = call.json === undefined ? call.body?.contentType : 'application/json';
    const body = call.json === undefined ? call.body?.bytes : JSON.stringify(call.json);
    const { method = 'GET' } = call;
    const signal = this.#signalOf(call);
    const slow = setTimeout(() => {
      note(`${url.origin} has not answered for ${SLOW_AFTER_MS / 1000} s: still waiting`);
    }, SLOW_AFTER_MS);
    try {
      return await fetch(url, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(contentType !== undefined && { 'content-type': contentType }),
          ...call.headers,
        },
        ...(body !== undefined && { body }),
        // Followed to another origin, a call would come without its token, and a POST as a GET.
        redirect: 'manual',
        ...(signal && { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw silence(this.target.url, method, error);
    } finally {
      clearTimeout(slow);
    }
  }
}

/** @throws {CliError} where it does not come to its end: whether what was asked for is done is not known then */
async function textOf(response: Response, signal?: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    signal?.throwIfAborted();
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    throw new LostAnswerError(
      `The answer of ${response.url} broke off (${reasonOf(cause ?? error)}): what was asked for may be done all the same`,
      EXIT.unreachable,
      { cause: error },
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answeredAsPage({ url }: Response): CliError {
  return new CliError(
    `${url} answered as a page does, and not as a coordinator: --url and GLEANER_URL take the address of the coordinator alone, such as https://gleaner.example. Where that is right, the network may want you to sign in first`,
    EXIT.unreachable,
  );
}

/** What to do about answers that this command does not understand. */
function versionAdvice(version: string | null): string {
  if (version === null)
    return 'Nobody there says that it is a Gleaner coordinator: look whether --url or GLEANER_URL names one';
  if (version === VERSION)
    return 'The coordinator calls itself the same, and one of the two is older all the same: bring both up to date';
  return `The coordinator is of version ${version}: use the command of that version, or have whoever runs the coordinator bring it up to date`;
}

/** Null where the call had its turn, or would wait for longer than it is worth. */
function askedToWaitSeconds({ status, headers }: Response): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return status === 429 && seconds <= WAIT_SECONDS_MAX ? seconds : null;
}

/** As from http to https, or where the coordinator has moved. */
function redirected(asked: URL, response: Response): CliError {
  const location = response.headers.get('location');
  const target = location === null ? null : URL.parse(location, asked.href);
  const where = target === null || target.origin === asked.origin ? 'elsewhere' : `on to ${target.origin}`;
  return new CliError(
    `${asked.origin} sends its callers ${where}: where that is the coordinator, name it with --url or GLEANER_URL`,
    EXIT.unreachable,
  );
}

async function errorOf(url: URL, response: Response, hasToken: boolean): Promise<CliError> {
  const parsed = problemSchema.safeParse(parseJson(await textOf(response)));
  if (!parsed.success) return anothersAnswer(url, response.status);
  const lines = problemLines(parsed.data);
  if (response.status === 401) lines.push(hasToken ? ANOTHER_TOKEN : A_TOKEN);
  return new ApiProblemError(lines.join('\n'), parsed.data.code, response.status);
}

/** The coordinator's problem document. */
export class ApiProblemError extends CliError {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
  ) {
    super(message, EXIT.refused);
  }
}

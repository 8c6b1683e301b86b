import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { LIMITS, type Problem } from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { databaseProblem } from './database-problems.js';
import { DomainError } from './domain-error.js';
import { unsupportedMediaType } from './media-types.js';
import { PROBLEMS, problemType, type ProblemCode } from './problem-table.js';
import { MAX_PARAM_LENGTH, RouteIndex } from './route-index.js';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Answers every error, expected or not, with an RFC 9457 problem document. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly routes: RouteIndex,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = this.toDomainError(exception, request);
    if (PROBLEMS[error.code].status >= 500) {
      this.logger.error({ event: 'request-failed', requestId: request.id, err: error.cause ?? error });
    }
    // The answer has begun (a stream broke): all that is left is to cut it off, so that nobody takes it for whole.
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    sendProblem(reply, error, request.id);
  }

  private toDomainError(exception: unknown, request: FastifyRequest): DomainError {
    if (exception instanceof DomainError) return exception;
    if (exception instanceof HttpException && exception.getStatus() === 404) return this.noSuchRoute(request);
    const code = codeOf(exception);
    return code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
      ? unsupportedMediaType(request, exception)
      : translateError(exception);
  }

  private noSuchRoute(request: FastifyRequest): DomainError {
    const path = request.url.split('?', 1)[0] ?? '/';
    const allowed = this.routes.methodsOf(path);
    if (allowed.includes(request.method) && path.split('/').some((part) => part.length > MAX_PARAM_LENGTH)) {
      return new DomainError(
        'uri-too-long',
        `A part of the address may have at most ${MAX_PARAM_LENGTH} characters.`,
      );
    }
    if (allowed.length === 0 || allowed.includes(request.method)) {
      const isSlashTooMany = path.endsWith('/') && this.routes.methodsOf(path.slice(0, -1)).length > 0;
      const advice = isSlashTooMany ? ': leave out the slash at its end' : '';
      return new DomainError('not-found', `There is nothing at ${path}${advice}.`);
    }
    return new DomainError('method-not-allowed', `${path} does not understand ${request.method}.`, {
      headers: { allow: allowed.join(', ') },
    });
  }
}

/** Answers with the document for an error. */
export function sendProblem(
  reply: FastifyReply,
  error: DomainError,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  void reply
    .status(PROBLEMS[error.code].status)
    .headers({ ...error.headers, ...headers })
    .header('content-type', PROBLEM_TYPE)
    .send(JSON.stringify(problemDocument(error, requestId)));
}

/** The document for an error; `requestId` lets an operator find it in the log. */
export function problemDocument(error: DomainError, requestId: string): Problem {
  const { status, title } = PROBLEMS[error.code];
  return {
    type: problemType(error.code),
    title,
    status,
    code: error.code,
    detail: error.message,
    instance: `urn:gleaner:request:${requestId}`,
    ...(error.errors.length > 0 ? { errors: [...error.errors] } : {}),
  };
}

/** Turns what Fastify, Nest, Postgres and the file system throw into a {@link DomainError}. */
export function translateError(exception: unknown): DomainError {
  if (exception instanceof DomainError) return exception;
  const code = codeOf(exception);
  const known = code === undefined ? undefined : (FOREIGN_CODES[code] ?? databaseProblem(code));
  if (known) return new DomainError(known[0], known[1], { cause: exception });
  if (exception instanceof Error && NO_CONNECTION.test(exception.message)) {
    return new DomainError('server-busy', ALL_CONNECTIONS_IN_USE, { cause: exception });
  }
  if (exception instanceof Error && LOST_CONNECTION.test(exception.message)) {
    return new DomainError('unavailable', CONNECTION_LOST, { cause: exception });
  }
  const status =
    exception instanceof HttpException ? exception.getStatus() : numberMember(exception, 'statusCode');
  const problem = status === undefined ? undefined : codeOfStatus(status);
  if (problem && exception instanceof Error)
    return new DomainError(problem, exception.message, { cause: exception });
  return new DomainError('internal', 'The request failed; nothing was stored. The log has the details.', {
    cause: exception,
  });
}

const CONNECTION_LOST = 'A connection that this needs was lost. Try again in a moment.';

const ALL_CONNECTIONS_IN_USE =
  'All connections to the database are in use, and none has become free for long. Try again in a moment.';

/** How node-postgres tells that a pool has none to give. */
const NO_CONNECTION = /^timeout exceeded when trying to connect/;

/** How node-postgres and TypeORM tell of a connection that broke while it was in use. */
const LOST_CONNECTION =
  /^(?:Connection terminated|Client (?:has encountered a connection error|was closed)|Query runner already released|Database connection provided by a query runner was already released)/;

const FOREIGN_CODES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too-large', `JSON in a body may have at most ${LIMITS.bodyBytes} bytes.`],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-request', 'Content-Length does not match the body.'],
  FST_ERR_BAD_URL: ['malformed-request', 'The address holds a malformed escape.'],
  FST_ERR_ASYNC_CONSTRAINT: ['malformed-request', 'The request cannot be routed.'],
  FST_ERR_MAX_PARAM_LENGTH: [
    'uri-too-long',
    `A part of the address may have at most ${MAX_PARAM_LENGTH} characters.`,
  ],
  ENOSPC: ['insufficient-storage', 'The disk is full. Nothing was stored.'],
  EDQUOT: ['insufficient-storage', 'The disk quota is used up. Nothing was stored.'],
  // As a disk with errors is mounted anew.
  EROFS: ['insufficient-storage', 'The disk is read-only. Nothing was stored.'],
  ECONNRESET: ['unavailable', CONNECTION_LOST],
  ECONNREFUSED: ['unavailable', 'The database does not answer. Try again in a moment.'],
  // Ours: a Batcher, and a queue whose backend is away.
  'server-busy': [
    'server-busy',
    'More work waits than can be done soon. Nothing was stored: try again in a moment.',
  ],
  'queue-busy': ['unavailable', 'The queue does not answer. Nothing was stored: try again in a moment.'],
};

function codeOfStatus(status: number): ProblemCode | undefined {
  if (status === 400) return 'malformed-request';
  const codes = Object.keys(PROBLEMS) as ProblemCode[]; // `as`: keys of a const object are exactly its type's keys
  return status < 500 ? codes.find((code) => PROBLEMS[code].status === status) : undefined;
}

/** The framework wraps its errors in Nest's, whose cause they are. */
function codeOf(exception: unknown): string | undefined {
  return stringMember(exception instanceof HttpException ? exception.cause : exception, 'code');
}

function stringMember(value: unknown, key: string): string | undefined {
  const member = memberOf(value, key);
  return typeof member === 'string' ? member : undefined;
}

function numberMember(value: unknown, key: string): number | undefined {
  const member = memberOf(value, key);
  return typeof member === 'number' ? member : undefined;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && key in value ? Reflect.get(value, key) : undefined;
}

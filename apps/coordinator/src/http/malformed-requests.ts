import { randomUUID } from 'node:crypto';
import {
  maxHeaderSize,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from './domain-error.js';
import { PROBLEM_TYPE, problemDocument, sendProblem, translateError } from './problem.filter.js';
import { PROBLEMS } from './problem-table.js';

/* Some requests never reach an endpoint or its filter: those that are no HTTP, or too much of it. They are told why as well. */

/** The last answer that was begun on each connection. */
const answers = new WeakMap<Socket, ServerResponse>();

/** Options for the framework: whom to ask where it would answer by itself. */
export const MALFORMED_REQUEST_HANDLERS = {
  // {@link answerWhileClosing} says so in our form.
  return503OnClosing: false,
  clientErrorHandler: answerClientError,
  frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply): void =>
    sendProblem(reply, translateError(error), request.id),
};

/** Answers what Node would answer with an empty body, an unknown expectation and a request without Host, or would let pass. */
export function answerMalformedRequests(fastify: FastifyInstance, server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answers.set(request.socket, response);
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const error = new DomainError(
      'expectation-failed',
      '"Expect: 100-continue" is understood, and no other.',
    );
    const body = documentOf(error);
    response.writeHead(PROBLEMS[error.code].status, headersFor(body)).end(body);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    done(faultOfHost(request.raw));
  });
}

/** Requests on connections that were open when the coordinator began to stop. */
export function answerWhileClosing(fastify: FastifyInstance): void {
  let isClosing = false;
  fastify.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (isClosing) sendProblem(reply, stopping(), request.id, { connection: 'close' });
    else done();
  });
}

function stopping(): DomainError {
  return new DomainError('unavailable', 'The coordinator is stopping. Try again in a moment.', {
    headers: { 'retry-after': '5' },
  });
}

/** Of two names a proxy may take the one and we the other (RFC 9112, section 3.2). */
function faultOfHost({ rawHeaders, httpVersion }: IncomingMessage): DomainError | undefined {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) return new DomainError('malformed-request', 'A request has the header Host once.');
  return hosts === 0 && httpVersion === '1.1'
    ? new DomainError('malformed-request', 'A request needs the header Host.')
    : undefined;
}

/** What the parser could make nothing of. After it there is no telling where a next request begins: the connection ends. */
function answerClientError(error: ConnectionError, socket: Socket): void {
  const last = answers.get(socket);
  // The answer to what came before would be mixed with this one.
  const isAnswering = last !== undefined && !last.writableEnded && (last.headersSent || last.req.complete);
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const problem = explainClientError(error);
  const { status } = PROBLEMS[problem.code];
  const body = documentOf(problem);
  const head = Object.entries(headersFor(body)).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`);
  socket.destroySoon();
}

function explainClientError({ code, message }: ConnectionError): DomainError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new DomainError('request-timeout', 'The request did not come whole in time.');
    case 'HPE_HEADER_OVERFLOW':
      return new DomainError(
        'headers-too-large',
        `The address and the headers may have at most ${maxHeaderSize} bytes together.`,
      );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new DomainError('too-large', 'The extensions of a chunk are too long.');
    default:
      return new DomainError('malformed-request', `This is no HTTP/1.1 request: ${message}.`);
  }
}

function documentOf(error: DomainError): string {
  return JSON.stringify(problemDocument(error, randomUUID()));
}

function headersFor(body: string): Record<string, string> {
  return {
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
}

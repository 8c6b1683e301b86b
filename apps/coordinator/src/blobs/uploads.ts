import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { LIMITS } from '@gleaner/protocol';
import { Server } from '@tus/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { CONFIG, type Config } from '../config/index.js';
import {
  AccessGuard,
  allowSilenceOnceRead,
  DomainError,
  PROBLEMS,
  sendProblem,
  translateError,
  type Actor,
} from '../http/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { uploadsDirectory } from './blob-sweep.service.js';
import { BlobsService } from './blobs.service.js';
import { readDigest, UploadCompletion } from './upload-completion.js';
import { UploadLocks } from './upload-locks.js';
import { PATCH_TYPE, requireTusHeaders, TUS_VERSION, wrongOffset } from './upload-headers.js';
import { UploadRooms } from './upload-rooms.js';
import { UploadStore } from './upload-store.js';

const UPLOADS_PATH = '/v1/uploads';
const METHODS = {
  [UPLOADS_PATH]: ['POST', 'OPTIONS'],
  [`${UPLOADS_PATH}/:id`]: ['HEAD', 'PATCH', 'DELETE', 'OPTIONS'],
};
/** tus looks at the path alone: what a caller takes for our name may be none. */
const ANY_BASE = 'http://uploads.invalid';
const TUS_HEADERS = { 'tus-resumable': TUS_VERSION };
/** Names the blob that an upload has become. */
const BLOB_ID = 'gleaner-blob-id';
const uploadParams = z.object({ id: z.string().optional() });

interface Parts {
  readonly server: Server;
  readonly store: UploadStore;
  readonly completion: UploadCompletion;
}

/**
 * Resumable uploads by the tus protocol (https://tus.io/protocols/resumable-upload, 1.0.0) in a Fastify scope of their own,
 * because they read no body parser's output. The metadata `sha256` says what the content must be; without it, whatever
 * arrives is stored.
 */
@Injectable()
export class Uploads {
  private readonly actors = new WeakMap<Request, Actor>();
  private readonly errors = new WeakMap<Request, DomainError>();

  constructor(
    private readonly guard: AccessGuard,
    private readonly blobs: BlobsService,
    private readonly rooms: UploadRooms,
    private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async register(fastify: FastifyInstance): Promise<void> {
    const directory = uploadsDirectory(this.config);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const store = new UploadStore(directory, { blobs: this.blobs, rooms: this.rooms });
    const completion = new UploadCompletion(store, this.blobs);
    const parts = { server: this.createServer(store, completion), store, completion };
    await fastify.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
      for (const [url, method] of Object.entries(METHODS)) {
        scope.route<{ Params: { id?: string } }>({
          url,
          method,
          config: { consumes: [PATCH_TYPE] },
          handler: (request, reply) => this.handle(parts, request, reply),
        });
      }
      done();
    });
  }

  private createServer(store: UploadStore, completion: UploadCompletion): Server {
    return new Server({
      path: UPLOADS_PATH,
      datastore: store,
      locker: new UploadLocks(this.dataSource),
      maxSize: LIMITS.blobBytes,
      relativeLocation: true,
      disableTerminationForFinishedUploads: true,
      namingFunction: (request) => store.newId(this.actorOf(request).accountId),
      onUploadCreate: (_request, upload) => {
        readDigest(upload.metadata);
        return Promise.resolve({});
      },
      onUploadFinish: async (request, upload) => {
        const blobId = await completion.complete(upload.id, this.actorOf(request).accountId);
        // Where all of it came as it was created, tus would look for it once more to tell when it expires, and find none.
        upload.creation_date = undefined;
        return { headers: { [BLOB_ID]: blobId } };
      },
      onResponseError: (request, error) => {
        const problem = explainTusError(error);
        this.errors.set(request, problem);
        return { status_code: PROBLEMS[problem.code].status, body: problem.message };
      },
    });
  }

  private async handle(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    try {
      // An upload ends with the reading of all that came: 64 GiB take minutes.
      const { response, body } = await allowSilenceOnceRead(request.raw, () => this.forward(parts, request));
      for (const [name, value] of response.headers) void reply.header(name, value);
      await reply.status(response.status).send(body);
    } catch (error) {
      const problem = translateError(error);
      if (PROBLEMS[problem.code].status >= 500) this.logger.error({ event: 'upload-failed', err: problem });
      sendProblem(reply, problem, request.id, TUS_HEADERS);
    }
  }

  private async forward(
    { server, store, completion }: Parts,
    request: FastifyRequest,
  ): Promise<{ response: Response; body: string }> {
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined && name !== 'x-http-method-override')
        headers.set(name, [value].flat().join(', '));
    }
    const hasBody = request.method === 'POST' || request.method === 'PATCH';
    // It may have to wait as long as the last part: its connection's silence counts from the end of what it brought.
    if (request.method === 'HEAD') request.raw.resume();
    const { id } = uploadParams.parse(request.params);
    const path = id === undefined ? UPLOADS_PATH : `${UPLOADS_PATH}/${encodeURIComponent(id)}`;
    const web = new Request(ANY_BASE + path, {
      method: request.method,
      headers,
      // `as`: Node's web streams and fetch's are the same objects under two names.
      ...(hasBody ? { body: Readable.toWeb(request.raw) as ReadableStream, duplex: 'half' as const } : {}),
    });
    if (request.method !== 'OPTIONS') {
      // Parts bring what has room already; each upload that begins takes some, and a look at who holds how much.
      const isCounted = request.method === 'POST';
      const actor = await this.guard.authenticate(request, { kind: 'scope', scope: 'submit' }, isCounted);
      if (id !== undefined && !store.belongsTo(id, actor.accountId)) {
        throw new DomainError('not-found', 'There is no such upload, or it is not yours.');
      }
      requireTusHeaders(request.method, request.headers);
      this.actors.set(web, actor);
    }
    const response = await server.handleWeb(web);
    if (request.method === 'HEAD' && id !== undefined && hasAll(response)) {
      // Or else the client would take it for stored: tus has no other word for that.
      const { accountId } = this.actorOf(web);
      response.headers.set(BLOB_ID, await completion.complete(id, accountId).catch(throwExplained));
    }
    if (response.status < 400) return { response, body: await response.text() };
    // Its files may be gone without it, with a backup say, or where the database was away when they were removed.
    if (
      request.method === 'DELETE' &&
      id !== undefined &&
      response.status === 404 &&
      (await store.forget(id))
    ) {
      return { response: new Response(null, { status: 204, headers: TUS_HEADERS }), body: '' };
    }
    throw (
      this.errors.get(web) ?? explainTusError({ status_code: response.status, body: await response.text() })
    );
  }

  private actorOf(request: Request): Actor {
    const actor = this.actors.get(request);
    if (!actor) throw new DomainError('unauthorised', 'This endpoint needs a token.');
    return actor;
  }
}

/** Whether the answer to HEAD says that all of the content has come. */
function hasAll({ status, headers }: Response): boolean {
  return status === 200 && headers.get('upload-offset') === headers.get('upload-length');
}

function throwExplained(error: unknown): never {
  throw explainTusError(error);
}

/** tus throws `{status_code, body}`; the rest is what our own callbacks threw. */
function explainTusError(error: unknown): DomainError {
  if (typeof error !== 'object' || error === null || !('status_code' in error)) return translateError(error);
  const detail = 'body' in error && typeof error.body === 'string' ? error.body.trim() : 'The upload failed.';
  switch (error.status_code) {
    case 404:
    case 410:
      return new DomainError(
        'not-found',
        'There is no such upload, or it is finished: begin anew if the blob is missing.',
      );
    case 409:
      return wrongOffset();
    case 413:
      return new DomainError('too-large', 'More content was sent than Upload-Length has declared.', {
        errors: [{ pointer: '/content-length', detail: 'must be at most what is missing of the upload' }],
      });
    case 500:
      return new DomainError('internal', detail, { cause: error });
    default:
      return new DomainError('malformed-request', detail);
  }
}

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, hasVersion } from '../http/index.js';
import type { ByteRange } from './blob-store.js';
import { parseRange } from './byte-range.js';

export interface Content {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly type: string;
  readonly cacheControl: string;
  open(range?: ByteRange): Promise<Readable>;
}

/** Content that never changes: kept for good by who has it. `private`: only by the client itself. */
export const IMMUTABLE_PRIVATE = 'private, max-age=31536000, immutable';
export const IMMUTABLE_PUBLIC = 'public, max-age=31536000, immutable';

/** Answers GET and HEAD with 200, 206, 304 or 416. */
export async function sendContent(
  request: FastifyRequest,
  reply: FastifyReply,
  content: Content,
): Promise<void> {
  const etag = `"${content.sha256}"`;
  void reply
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('cache-control', content.cacheControl)
    .header('content-type', content.type)
    // Somebody's bytes must not run as a page of this origin.
    .header('content-disposition', 'attachment');
  if (hasVersion(request, etag)) {
    await reply.status(304).send();
    return;
  }
  const ifRange = request.headers['if-range'];
  const wanted = parseRange(
    ifRange === undefined || ifRange === etag ? request.headers.range : undefined,
    content.sizeBytes,
  );
  if (wanted.kind === 'unsatisfiable') {
    throw new DomainError('range-not-satisfiable', `The content has ${content.sizeBytes} bytes.`, {
      headers: { 'content-range': `bytes */${content.sizeBytes}` },
    });
  }
  const range = wanted.kind === 'part' ? wanted.range : undefined;
  if (range) {
    void reply.status(206).header('content-range', `bytes ${range.start}-${range.end}/${content.sizeBytes}`);
  }
  void reply.header('content-length', range ? range.end - range.start + 1 : content.sizeBytes);
  // Of a stream the framework leaves out what it holds; of anything else it would tell the length.
  await reply.send(request.method === 'HEAD' ? Readable.from([]) : await content.open(range));
}

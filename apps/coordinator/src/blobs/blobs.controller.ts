import { Readable } from 'node:stream';
import { Controller, Get, Param, Put, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { blob, type Blob, blobId, hexOfBlobId, LIMITS, manifest } from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  CurrentActor,
  DomainError,
  NotFoundError,
  RequireScope,
  SendsContent,
  TakesContent,
  Unlimited,
  type Actor,
} from '../http/index.js';
import { BlobAccess } from './blob-access.js';
import { BlobDelivery } from './blob-delivery.js';
import { BlobsService } from './blobs.service.js';
import { IMMUTABLE_PRIVATE, sendContent } from './send-content.js';

/** Larger blobs take the resumable way. */
const DIRECT_UPLOAD_BYTES = 64 * 1024 * 1024;

@ApiTags('blobs')
@Controller('v1/blobs')
export class BlobsController {
  constructor(
    private readonly blobs: BlobsService,
    private readonly access: BlobAccess,
    private readonly delivery: BlobDelivery,
  ) {}

  @Get(':blobId')
  @Unlimited()
  @ApiOkResponse({ standardSchema: blob })
  async getBlob(
    @CurrentActor() actor: Actor,
    @Param('blobId', { schema: blobId }) id: string,
  ): Promise<Blob> {
    await this.requireReadable(actor, id);
    return await this.blobs.describe(hexOfBlobId(id));
  }

  /** Small content in one request; `/v1/uploads` is the resumable way. */
  @Put(':blobId')
  @RequireScope('submit')
  @TakesContent('application/octet-stream')
  @ApiCreatedResponse({ standardSchema: blob })
  async putBlob(
    @CurrentActor() actor: Actor,
    @Param('blobId', { schema: blobId }) id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Blob> {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > Math.min(DIRECT_UPLOAD_BYTES, LIMITS.blobBytes)) {
      throw new DomainError(
        'too-large',
        `At most ${DIRECT_UPLOAD_BYTES} bytes in one request: use /v1/uploads (tus).`,
      );
    }
    await this.blobs.requireSpace(declared);
    const { body } = request;
    if (!(body instanceof Readable)) {
      throw new DomainError('unsupported-media-type', 'Send the content as application/octet-stream.');
    }
    await this.blobs.storeStream(body, {
      accountId: actor.accountId,
      expectedSha256: hexOfBlobId(id),
      maxBytes: DIRECT_UPLOAD_BYTES,
    });
    void reply.status(201).header('location', `/v1/blobs/${id}`);
    return await this.blobs.describe(hexOfBlobId(id));
  }

  @Get(':blobId/manifest')
  @Unlimited()
  @ApiOkResponse({
    standardSchema: manifest,
    description: 'RFC 8785 bytes; Gleaner-Signature is Ed25519 over them',
  })
  async getManifest(
    @CurrentActor() actor: Actor,
    @Param('blobId', { schema: blobId }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.requireReadable(actor, id);
    const { manifestId } = await this.blobs.factsOf(hexOfBlobId(id));
    const { bytes, signature } = await this.blobs.signedManifest(hexOfBlobId(id));
    void reply.header('gleaner-signature', signature);
    await sendContent(request, reply, {
      sha256: manifestId,
      sizeBytes: bytes.length,
      type: 'application/json; charset=utf-8',
      cacheControl: IMMUTABLE_PRIVATE,
      open: (range) =>
        Promise.resolve(Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes])),
    });
  }

  @Get(':blobId/content')
  @Unlimited()
  @SendsContent('application/octet-stream')
  async getContent(
    @CurrentActor() actor: Actor,
    @Param('blobId', { schema: blobId }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.requireReadable(actor, id);
    const { sizeBytes } = await this.blobs.factsOf(hexOfBlobId(id));
    await sendContent(request, reply, {
      sha256: hexOfBlobId(id),
      sizeBytes,
      type: 'application/octet-stream',
      cacheControl: IMMUTABLE_PRIVATE,
      open: (range) => this.delivery.open(actor, hexOfBlobId(id), range),
    });
  }

  private async requireReadable(actor: Actor, id: string): Promise<void> {
    if (!(await this.access.mayRead(actor, hexOfBlobId(id)))) throw new NotFoundError(`blob ${id}`);
  }
}

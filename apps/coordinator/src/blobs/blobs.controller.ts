import { Readable } from 'node:stream';
import { Controller, Delete, Get, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  blob,
  type Blob,
  blobId,
  deletedBlob,
  type DeletedBlob,
  hexOfBlobId,
  LIMITS,
  manifest,
  ownBlobPage,
  type OwnBlobPage,
  pageQuery,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  CurrentActor,
  DomainError,
  linkNext,
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
import { OwnBlobs } from './own-blobs.js';
import { IMMUTABLE_PRIVATE, sendContent } from './send-content.js';
import { UploadRooms } from './upload-rooms.js';

/** Larger blobs take the resumable way. */
const DIRECT_UPLOAD_BYTES = 64 * 1024 * 1024;

@ApiTags('blobs')
@Controller('v1/blobs')
export class BlobsController {
  constructor(
    private readonly blobs: BlobsService,
    private readonly access: BlobAccess,
    private readonly delivery: BlobDelivery,
    private readonly rooms: UploadRooms,
    private readonly own: OwnBlobs,
  ) {}

  /** What the caller has uploaded, with what that holds of what it may. */
  @Get()
  @RequireScope('submit')
  @ApiOkResponse({ standardSchema: ownBlobPage })
  async listMyBlobs(
    @CurrentActor() actor: Actor,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OwnBlobPage> {
    const page = await this.own.list(actor.accountId, query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  @Delete(':blobId')
  @RequireScope('submit')
  @ApiOkResponse({ standardSchema: deletedBlob })
  async deleteMyBlob(
    @CurrentActor() actor: Actor,
    @Param('blobId', { schema: blobId }) id: string,
  ): Promise<DeletedBlob> {
    return await this.own.delete(actor.accountId, hexOfBlobId(id));
  }

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
    // Unknown where it comes in chunks: it may be the largest.
    const declared = Number(request.headers['content-length'] ?? DIRECT_UPLOAD_BYTES);
    if (declared > Math.min(DIRECT_UPLOAD_BYTES, LIMITS.blobBytes)) {
      throw new DomainError(
        'too-large',
        `At most ${DIRECT_UPLOAD_BYTES} bytes in one request: use /v1/uploads (tus).`,
      );
    }
    await this.blobs.requireSpace(request.headers['content-length'] === undefined ? 0 : declared);
    const { body } = request;
    if (!(body instanceof Readable)) {
      throw new DomainError('unsupported-media-type', 'Send the content as application/octet-stream.');
    }
    const { accountId } = actor;
    await this.rooms.during(accountId, declared, (holdId) =>
      this.blobs.storeStream(body, {
        accountId,
        holdId,
        expectedSha256: hexOfBlobId(id),
        maxBytes: DIRECT_UPLOAD_BYTES,
      }),
    );
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

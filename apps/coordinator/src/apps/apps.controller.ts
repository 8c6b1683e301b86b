import { Readable } from 'node:stream';
import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  appVersion,
  appVersionPage,
  LIMITS,
  pageQuery,
  publishAppQuery,
  sha256Hex,
  slug,
  versionName,
  type AppVersion,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { BlobsService, IMMUTABLE_PUBLIC, sendContent } from '../blobs/index.js';
import {
  ByteBudget,
  CurrentActor,
  DomainError,
  linkNext,
  Public,
  RequireScope,
  SendsContent,
  TakesContent,
  type Actor,
  type Page,
} from '../http/index.js';
import { AppsService } from './apps.service.js';
import { readBounded } from './read-bounded.js';

/** Modules that are read or wait for their check at once, in all and of one account. */
const MODULES_IN_MEMORY = { maxBytes: 256 * 1024 * 1024, maxBytesEach: 2 * LIMITS.moduleBytes };

@ApiTags('apps')
@Controller('v1')
export class AppsController {
  private readonly budget = new ByteBudget(MODULES_IN_MEMORY);

  constructor(
    private readonly apps: AppsService,
    private readonly blobs: BlobsService,
  ) {}

  /** The module is the body. */
  @Post('apps')
  @RequireScope('submit')
  @TakesContent('application/wasm')
  @ApiCreatedResponse({ standardSchema: appVersion })
  async publishApp(
    @CurrentActor() actor: Actor,
    @Query({ schema: publishAppQuery }) name: z.infer<typeof publishAppQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AppVersion> {
    const { body } = request;
    if (!(body instanceof Readable)) {
      throw new DomainError('unsupported-media-type', 'Send the module as application/wasm.');
    }
    // Unknown where it comes in chunks: it may be the largest.
    const bytes = Number(request.headers['content-length'] ?? LIMITS.moduleBytes);
    if (bytes > LIMITS.moduleBytes) {
      throw new DomainError('too-large', `A module may have at most ${LIMITS.moduleBytes} bytes.`);
    }
    await this.apps.requirePublisher(actor, name);
    const giveBack = this.budget.take(actor.accountId, bytes);
    try {
      const published = await this.apps.publish(actor, name, await readBounded(body, LIMITS.moduleBytes));
      void reply.header('location', `/v1/apps/${name.name}/versions/${name.version}`);
      return published;
    } finally {
      giveBack();
    }
  }

  @Get('apps')
  @Public()
  @ApiOkResponse({ standardSchema: appVersionPage })
  async listApps(
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<AppVersion>> {
    const page = await this.apps.list(query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  @Get('apps/:name/versions/:version')
  @Public()
  @ApiOkResponse({ standardSchema: appVersion })
  async getApp(
    @Param('name', { schema: slug }) name: string,
    @Param('version', { schema: versionName }) version: string,
  ): Promise<AppVersion> {
    return await this.apps.get(name, version);
  }

  @Post('apps/:name/versions/:version/approval')
  @HttpCode(200)
  @RequireScope('operate')
  @ApiOkResponse({ standardSchema: appVersion })
  async approveApp(
    @CurrentActor() actor: Actor,
    @Param('name', { schema: slug }) name: string,
    @Param('version', { schema: versionName }) version: string,
  ): Promise<AppVersion> {
    return await this.apps.approve(actor, name, version);
  }

  /** The rewritten module that hosts run; public, because volunteers may look at what they run. */
  @Get('modules/:sha256')
  @Public()
  @SendsContent('application/wasm')
  async getModule(
    @Param('sha256', { schema: sha256Hex }) sha256: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendContent(request, reply, {
      sha256,
      sizeBytes: await this.apps.moduleSizeBytes(sha256),
      type: 'application/wasm',
      cacheControl: IMMUTABLE_PUBLIC,
      open: (range) => this.blobs.openContent(sha256, range),
    });
  }
}

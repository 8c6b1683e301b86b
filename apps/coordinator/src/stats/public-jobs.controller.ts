import { Body, Controller, Get, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  entityId,
  jobVisibility,
  pageQuery,
  publicJobPage,
  publicJobView,
  type JobVisibility,
  type PublicJob,
  type PublicJobView,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BlobsService, sendContent } from '../blobs/index.js';
import {
  CurrentActor,
  eventStreamOf,
  linkNext,
  MaybeActor,
  OptionalToken,
  Public,
  PublicReads,
  RequireScope,
  SendsContent,
  type Actor,
  type Page,
} from '../http/index.js';
import { JobBroadcast } from './job-broadcast.service.js';
import { JobPictures } from './job-pictures.service.js';
import { PublicJobs } from './public-jobs.service.js';

const listQuery = pageQuery.extend({
  running: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true`: only those that volunteers can work on now.'),
});

@ApiTags('public')
@Controller('v1')
export class PublicJobsController {
  constructor(
    private readonly jobs: PublicJobs,
    private readonly pictures: JobPictures,
    private readonly broadcast: JobBroadcast,
    private readonly blobs: BlobsService,
  ) {}

  @Get('public/jobs')
  @Public()
  @PublicReads()
  @ApiOkResponse({ standardSchema: publicJobPage })
  async listPublicJobs(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<PublicJob>> {
    const page = await this.jobs.list(query.running === 'true', query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  /** A private job only for those whose it is. */
  @Get('public/jobs/:id')
  @OptionalToken()
  @PublicReads()
  @ApiOkResponse({ standardSchema: publicJobView })
  async getPublicJob(
    @MaybeActor() actor: Actor | null,
    @Param('id', { schema: entityId }) id: string,
  ): Promise<PublicJobView> {
    return await this.pictures.view(id, actor);
  }

  /** Server-sent events `job`, each the whole view, and `end` when the job has ended. */
  @Get('public/jobs/:id/events')
  @OptionalToken()
  @PublicReads()
  @ApiOkResponse({ content: eventStreamOf('PublicJobView') })
  async followPublicJob(
    @MaybeActor() actor: Actor | null,
    @Param('id', { schema: entityId }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.broadcast.follow(id, actor, request, reply);
  }

  /** What a completed job found, where its scientist shows that to everybody. */
  @Get('public/jobs/:id/output')
  @Public()
  @SendsContent('application/octet-stream')
  async getPublicOutput(
    @Param('id', { schema: entityId }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { sha256, sizeBytes } = await this.jobs.output(id);
    await sendContent(request, reply, {
      sha256,
      sizeBytes,
      type: 'application/octet-stream',
      // Asked for again each time: the scientist may have hidden it since.
      cacheControl: 'private, no-cache',
      open: (range) => this.blobs.openContent(sha256, range),
    });
  }

  @Put('jobs/:id/visibility')
  @RequireScope('submit')
  @HttpCode(204)
  @ApiNoContentResponse()
  async setJobVisibility(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Body({ schema: jobVisibility }) body: JobVisibility,
  ): Promise<void> {
    await this.jobs.setVisibility(actor, id, body);
  }
}

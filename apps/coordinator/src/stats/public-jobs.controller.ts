import { Body, Controller, Get, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
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
import { CurrentActor, linkNext, Public, RequireScope, type Actor, type Page } from '../http/index.js';
import { JobBroadcast } from './job-broadcast.service.js';
import { JobPictures } from './job-pictures.service.js';
import { PublicJobs } from './public-jobs.service.js';

const listQuery = pageQuery.extend({ running: z.enum(['true', 'false']).default('false') });

@ApiTags('public')
@Controller('v1')
export class PublicJobsController {
  constructor(
    private readonly jobs: PublicJobs,
    private readonly pictures: JobPictures,
    private readonly broadcast: JobBroadcast,
  ) {}

  @Get('public/jobs')
  @Public()
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

  @Get('public/jobs/:id')
  @Public()
  @ApiOkResponse({ standardSchema: publicJobView })
  async getPublicJob(@Param('id', { schema: entityId }) id: string): Promise<PublicJobView> {
    return await this.pictures.view(id);
  }

  /** Server-sent events `job`, each the whole view, and `end` when the job has ended. */
  @Get('public/jobs/:id/events')
  @Public()
  @ApiProduces('text/event-stream')
  async followPublicJob(
    @Param('id', { schema: entityId }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.broadcast.follow(id, request, reply);
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

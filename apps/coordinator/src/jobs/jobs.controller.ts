import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '@nestjs/swagger';
import {
  entityId,
  hexOfBlobId,
  job,
  type Job,
  jobEstimate,
  type JobEstimate,
  jobPage,
  LIMITS,
  pageQuery,
  submitJob,
  type SubmitJob,
  type UnitResult,
  unitResultPage,
  unitState,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BlobsService, sendContent } from '../blobs/index.js';
import {
  CurrentActor,
  DomainError,
  eventStreamOf,
  linkNext,
  RequireScope,
  SendsContent,
  type Actor,
  type Page,
} from '../http/index.js';
import { JobEvents } from './job-events.service.js';
import { JobSubmission } from './job-submission.service.js';
import { JobsService } from './jobs.service.js';
import { UnitResults } from './unit-results.service.js';

const resultsQuery = pageQuery.extend({ state: unitState.optional().describe('Only units in it.') });
const idempotencyKey = z.string().min(1).max(LIMITS.idempotencyKeyLength).optional();

@ApiTags('jobs')
@Controller('v1/jobs')
@RequireScope('submit')
export class JobsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly submission: JobSubmission,
    private readonly results: UnitResults,
    private readonly events: JobEvents,
    private readonly blobs: BlobsService,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'Any text of your own: with the same one again the first job is answered, not another made.',
  })
  @ApiAcceptedResponse({ standardSchema: job })
  async submitJob(
    @CurrentActor() actor: Actor,
    @Body({ schema: submitJob }) body: SubmitJob,
    @Headers('idempotency-key') keyHeader: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    const key = idempotencyKey.safeParse(keyHeader);
    if (!key.success) {
      throw new DomainError('invalid-request', 'The Idempotency-Key is not usable.', {
        errors: [
          {
            pointer: '/idempotency-key',
            detail: `must have 1 to ${LIMITS.idempotencyKeyLength} characters`,
          },
        ],
      });
    }
    const { jobId } = await this.submission.submit(actor, body, key.data ?? null);
    void reply.header('location', `/v1/jobs/${jobId}`);
    return await this.jobs.get(actor, jobId);
  }

  @Post('estimate')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: jobEstimate })
  async estimateJob(
    @CurrentActor() actor: Actor,
    @Body({ schema: submitJob }) body: SubmitJob,
  ): Promise<JobEstimate> {
    return await this.submission.estimate(actor, body);
  }

  @Get()
  @ApiOkResponse({ standardSchema: jobPage })
  async listJobs(
    @CurrentActor() actor: Actor,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<Job>> {
    const page = await this.jobs.list(actor, query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: job })
  async getJob(@CurrentActor() actor: Actor, @Param('id', { schema: entityId }) id: string): Promise<Job> {
    return await this.jobs.get(actor, id);
  }

  /** `text/event-stream`: the event `job` with the whole job whenever it changed, `end` when it has ended. */
  @Get(':id/events')
  @ApiOkResponse({ content: eventStreamOf('Job') })
  async followJob(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.events.stream(actor, id, request, reply);
  }

  @Get(':id/results')
  @ApiOkResponse({ standardSchema: unitResultPage })
  async listResults(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Query({ schema: resultsQuery }) query: z.infer<typeof resultsQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<UnitResult>> {
    await this.jobs.get(actor, id);
    const page = await this.results.list(id, query.state, query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  /** The merged answer of a completed job. */
  @Get(':id/output')
  @SendsContent('application/octet-stream')
  async getOutput(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const output = await this.jobs.outputOf(actor, id);
    const sha256 = hexOfBlobId(output.blobId);
    await sendContent(request, reply, {
      sha256,
      sizeBytes: output.sizeBytes,
      type: 'application/octet-stream',
      // Asked for again each time: after a restored backup the job of this number may be another one.
      cacheControl: 'private, no-cache',
      open: (range) => this.blobs.openContent(sha256, range),
    });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: job })
  async cancelJob(@CurrentActor() actor: Actor, @Param('id', { schema: entityId }) id: string): Promise<Job> {
    return await this.jobs.cancel(actor, id);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: job })
  async pauseJob(@CurrentActor() actor: Actor, @Param('id', { schema: entityId }) id: string): Promise<Job> {
    return await this.jobs.pause(actor, id);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: job })
  async resumeJob(@CurrentActor() actor: Actor, @Param('id', { schema: entityId }) id: string): Promise<Job> {
    return await this.jobs.resume(actor, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse()
  async deleteJob(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
  ): Promise<void> {
    await this.jobs.delete(actor, id);
  }
}

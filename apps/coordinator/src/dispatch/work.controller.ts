import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  formatTaskId,
  heartbeatRequest,
  heartbeatResponse,
  type HeartbeatRequest,
  type HeartbeatResponse,
  workRequest,
  workResponse,
  type WorkRequest,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentHost, type HostActor, RequireHost, Unlimited } from '../http/index.js';
import { type WorkAnswer, WorkService } from './work.service.js';

@ApiTags('work')
@Controller('v1')
@RequireHost()
@Unlimited()
export class WorkController {
  constructor(private readonly service: WorkService) {}

  /** Hands in results and asks for tasks, both in one call. Reporting the same result again is harmless. */
  @Post('work')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: workResponse })
  async work(
    @CurrentHost() host: HostActor,
    @Body({ schema: workRequest }) body: WorkRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = await this.service.work(host, request.ip, body);
    void reply.header('content-type', 'application/json; charset=utf-8').send(writeAnswer(answer));
  }

  /** Lists what runs, renews leases, returns tasks; answers which tasks are no longer wanted. */
  @Post('heartbeat')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: heartbeatResponse })
  async heartbeat(
    @CurrentHost() host: HostActor,
    @Body({ schema: heartbeatRequest }) body: HeartbeatRequest,
    @Req() request: FastifyRequest,
  ): Promise<HeartbeatResponse> {
    return this.service.heartbeat(host, request.ip, body);
  }
}

/** The answer as JSON; parameters and windows go from the database to the host without being parsed. */
function writeAnswer({ assignment, ...rest }: WorkAnswer): string {
  const tasks = assignment.tasks.map(
    ({ unitId, ordinal, job, params, windows, deadlineMs }) =>
      `{"taskId":"${formatTaskId(unitId, ordinal)}","jobId":"${job.jobId}","params":${params},"windows":${windows},"deadlineMs":${deadlineMs}}`,
  );
  return `${JSON.stringify(rest).slice(0, -1)},"tasks":[${tasks.join(',')}]}`;
}

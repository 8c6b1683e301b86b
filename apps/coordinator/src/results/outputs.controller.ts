import { Readable } from 'node:stream';
import { Controller, HttpCode, Param, Put, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { identifier, parseTaskId, taskId } from '@gleaner/protocol';
import type { FastifyRequest } from 'fastify';
import {
  CurrentHost,
  DomainError,
  type HostActor,
  RequireHost,
  TakesContent,
  Unlimited,
} from '../http/index.js';
import { TaskOutputs } from './task-outputs.service.js';

@ApiTags('work')
@Controller('v1/tasks')
@RequireHost()
@Unlimited()
export class OutputsController {
  constructor(private readonly outputs: TaskOutputs) {}

  /** An output that the coordinator asked for (`outputsWanted`). Its digest must be the reported one. */
  @Put(':taskId/outputs/:name')
  @HttpCode(204)
  @TakesContent('application/octet-stream')
  @ApiNoContentResponse()
  async putOutput(
    @CurrentHost() host: HostActor,
    @Param('taskId', { schema: taskId }) id: string,
    @Param('name', { schema: identifier }) name: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    if (!(request.body instanceof Readable)) {
      throw new DomainError('unsupported-media-type', 'Send the content as application/octet-stream.');
    }
    await this.outputs.upload(host.hostId, parseTaskId(id), name, request.body);
  }
}

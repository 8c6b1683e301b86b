import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { entityId, hostTasks, type HostTasks } from '@gleaner/protocol';
import { CurrentActor, type Actor } from '../http/index.js';
import { HostTasksService } from './host-tasks.service.js';

@ApiTags('hosts')
@Controller('v1/hosts/:id/tasks')
export class HostTasksController {
  constructor(private readonly tasks: HostTasksService) {}

  /** What the host computes now, how its tasks fared, and what it was told when it last asked for work. */
  @Get()
  @ApiOkResponse({ standardSchema: hostTasks })
  async getHostTasks(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
  ): Promise<HostTasks> {
    return await this.tasks.of(actor, id);
  }
}

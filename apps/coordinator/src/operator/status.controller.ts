import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { serverStatus, type ServerStatus } from '@gleaner/protocol';
import { Public, PublicReads } from '../http/index.js';
import { ServerStatusService } from './server-status.service.js';

@ApiTags('public')
@Controller('v1/status')
@Public()
@PublicReads()
export class StatusController {
  constructor(private readonly status: ServerStatusService) {}

  /** How the server is: queues and their ages, the database, and whether work is given out. */
  @Get()
  @ApiOkResponse({ standardSchema: serverStatus })
  async getStatus(): Promise<ServerStatus> {
    return await this.status.get();
  }
}

import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { siteStats, type SiteStats } from '@gleaner/protocol';
import { Public } from '../http/index.js';
import { SiteStatistics } from './site-statistics.service.js';

@ApiTags('public')
@Controller('v1/stats')
@Public()
export class StatsController {
  constructor(private readonly statistics: SiteStatistics) {}

  @Get()
  @ApiOkResponse({ standardSchema: siteStats })
  async getStats(): Promise<SiteStats> {
    return await this.statistics.get();
  }
}

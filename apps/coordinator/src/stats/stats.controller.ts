import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  siteStats,
  statisticsHistory,
  statisticsQuery,
  type SiteStats,
  type StatisticsHistory,
  type StatisticsQuery,
} from '@gleaner/protocol';
import { Public, PublicReads } from '../http/index.js';
import { SiteStatistics } from './site-statistics.service.js';
import { StatisticsHistories } from './statistics-history.service.js';

@ApiTags('public')
@Controller('v1/stats')
@Public()
@PublicReads()
export class StatsController {
  constructor(
    private readonly statistics: SiteStatistics,
    private readonly histories: StatisticsHistories,
  ) {}

  @Get()
  @ApiOkResponse({ standardSchema: siteStats })
  async getStats(): Promise<SiteStats> {
    return await this.statistics.get();
  }

  /** What was earned in each of the latest hours or days of UTC, oldest first; the last one is not over yet. */
  @Get('history')
  @ApiOkResponse({ standardSchema: statisticsHistory })
  async getStatisticsHistory(
    @Query({ schema: statisticsQuery }) query: StatisticsQuery,
  ): Promise<StatisticsHistory> {
    return await this.histories.get(query);
  }
}

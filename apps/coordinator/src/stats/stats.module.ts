import { Module, type DynamicModule } from '@nestjs/common';
import { BlobsModule } from '../blobs/index.js';
import { TrackerModule } from '../tracker/index.js';
import { BoardKeeper } from './board-keeper.service.js';
import { BoardRebuild } from './board-rebuild.service.js';
import { BoardRanks } from './board-ranks.service.js';
import { BoardSearch } from './board-search.service.js';
import { BoardsController } from './boards.controller.js';
import { BoardsProcessor } from './boards.processor.js';
import { BoardsService } from './boards.service.js';
import { Earnings } from './earnings.service.js';
import { JobBroadcast } from './job-broadcast.service.js';
import { JobPictures } from './job-pictures.service.js';
import { PagePreviews } from './page-previews.service.js';
import { PublicJobsController } from './public-jobs.controller.js';
import { PublicJobs } from './public-jobs.service.js';
import { SiteStatistics } from './site-statistics.service.js';
import { StatisticsHistories } from './statistics-history.service.js';
import { StatisticsKeeper } from './statistics-keeper.service.js';
import { StatisticsProcessor } from './statistics.processor.js';
import { StatsController } from './stats.controller.js';
import { StatsUpkeep } from './stats-upkeep.service.js';
import { UpkeepController } from './upkeep.controller.js';

/** What everybody may see: totals, the rate of the moment, boards, and public jobs with their pictures. */
@Module({})
export class StatsModule {
  static forRole({ serves, works }: { serves: boolean; works: boolean }): DynamicModule {
    const serving = [
      SiteStatistics,
      StatisticsHistories,
      PublicJobs,
      JobPictures,
      JobBroadcast,
      PagePreviews,
      BoardRanks,
      BoardSearch,
      BoardsService,
      StatsUpkeep,
    ];
    const working = [BoardsProcessor, StatisticsProcessor];
    return {
      module: StatsModule,
      imports: [BlobsModule, ...(serves ? [TrackerModule] : [])],
      controllers: serves ? [StatsController, PublicJobsController, BoardsController, UpkeepController] : [],
      providers: [
        BoardKeeper,
        BoardRebuild,
        Earnings,
        StatisticsKeeper,
        ...(serves ? serving : []),
        ...(works ? working : []),
      ],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/index.js';
import { CONFIG, type Config } from '../config/index.js';
import { HostsModule } from '../hosts/index.js';
import { ResultsModule } from '../results/index.js';
import { TrackerModule } from '../tracker/index.js';
import { BackgroundProcessor } from './background.processor.js';
import { ClaimDesk } from './claim-desk.service.js';
import { DISPATCH_SETTINGS, type DispatchSettings, LANES } from './dispatch-settings.js';
import { DispatchPausesModule } from './dispatch-pauses.module.js';
import { DispatchService } from './dispatch.service.js';
import { EventHooks } from './event-hooks.js';
import { FillService } from './fill.service.js';
import { HostDirectory } from './host-directory.js';
import { HostInstances } from './host-instances.service.js';
import { HostStates } from './host-states.service.js';
import { HostTasksController } from './host-tasks.controller.js';
import { HostTasksService } from './host-tasks.service.js';
import { JobDirectory } from './job-directory.js';
import { LeasesService } from './leases.service.js';
import { Locality } from './locality.service.js';
import { QueuedTickets } from './queued-tickets.service.js';
import { SweepService } from './sweep.service.js';
import { TicketFeeder } from './ticket-feeder.service.js';
import { WorkController } from './work.controller.js';
import { WorkService } from './work.service.js';

const settings = {
  provide: DISPATCH_SETTINGS,
  useFactory: (config: Config): DispatchSettings => ({
    lanes: config.redisUrl === null ? LANES.postgres : LANES.redis,
    allowSameNetwork: config.allowSameNetwork,
  }),
  inject: [CONFIG],
};

export interface DispatchRole {
  /** Serves volunteers. */
  readonly serves: boolean;
  /** Fills queues and sweeps. */
  readonly works: boolean;
}

@Module({})
export class DispatchModule {
  static forRole({ serves, works }: DispatchRole): DynamicModule {
    return {
      module: DispatchModule,
      imports: serves
        ? [ResultsModule.forApi(), AccountsModule, HostsModule, TrackerModule, DispatchPausesModule]
        : [],
      controllers: serves ? [WorkController, HostTasksController] : [],
      providers: [
        settings,
        JobDirectory,
        LeasesService,
        ...(serves
          ? [
              TicketFeeder,
              ClaimDesk,
              DispatchService,
              HostDirectory,
              HostInstances,
              HostStates,
              HostTasksService,
              Locality,
              WorkService,
              EventHooks,
            ]
          : []),
        ...(works ? [FillService, QueuedTickets, SweepService, BackgroundProcessor] : []),
      ],
      exports: [JobDirectory, LeasesService],
    };
  }
}

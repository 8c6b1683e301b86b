import { Module } from '@nestjs/common';
import { DispatchPausesModule } from '../dispatch/index.js';
import { HostsModule } from '../hosts/index.js';
import { OperatorController } from './operator.controller.js';
import { OperatorService } from './operator.service.js';
import { ServerStatusService } from './server-status.service.js';
import { StatusController } from './status.controller.js';

/** What waits for an operator's decision, and how the server is. */
@Module({
  imports: [DispatchPausesModule, HostsModule],
  controllers: [OperatorController, StatusController],
  providers: [OperatorService, ServerStatusService],
})
export class OperatorModule {}

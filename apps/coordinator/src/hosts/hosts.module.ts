import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/index.js';
import { HostEvents } from './host-events.js';
import { HostsController } from './hosts.controller.js';
import { HostsService } from './hosts.service.js';

@Module({
  imports: [AccountsModule],
  controllers: [HostsController],
  providers: [HostEvents, HostsService],
  exports: [HostEvents, HostsService],
})
export class HostsModule {}

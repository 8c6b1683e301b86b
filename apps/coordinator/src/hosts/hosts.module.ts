import { Module } from '@nestjs/common';
import { HostEvents } from './host-events.js';
import { HostsController } from './hosts.controller.js';
import { HostsService } from './hosts.service.js';

@Module({
  controllers: [HostsController],
  providers: [HostEvents, HostsService],
  exports: [HostEvents, HostsService],
})
export class HostsModule {}

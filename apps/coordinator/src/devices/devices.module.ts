import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/index.js';
import { HostsModule } from '../hosts/index.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';

/** Hosts join an account by a code that a person approves. */
@Module({
  imports: [AccountsModule, HostsModule],
  controllers: [DevicesController],
  providers: [DevicesService],
})
export class DevicesModule {}

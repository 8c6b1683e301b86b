import { Module } from '@nestjs/common';
import { AccountEvents } from './account-events.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { LastingChanges } from './lasting-changes.js';
import { OperatorBootstrap } from './operator-bootstrap.js';
import { TokensController } from './tokens.controller.js';
import { TokensService } from './tokens.service.js';

@Module({
  controllers: [AccountsController, TokensController],
  providers: [AccountEvents, AccountsService, LastingChanges, TokensService, OperatorBootstrap],
  exports: [AccountEvents, AccountsService, LastingChanges, OperatorBootstrap],
})
export class AccountsModule {}

import { Module } from '@nestjs/common';
import { AccountEvents } from './account-events.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { OperatorBootstrap } from './operator-bootstrap.js';
import { TokensController } from './tokens.controller.js';
import { TokensService } from './tokens.service.js';

@Module({
  controllers: [AccountsController, TokensController],
  providers: [AccountEvents, AccountsService, TokensService, OperatorBootstrap],
  exports: [AccountEvents, AccountsService, OperatorBootstrap],
})
export class AccountsModule {}

import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/index.js';
import { CONFIG } from '../config/index.js';
import { HostsModule } from '../hosts/index.js';
import { TeamsModule } from '../teams/index.js';
import { CredentialsController } from './credentials.controller.js';
import { CredentialsService } from './credentials.service.js';
import { MAIL, mailOf } from './mail.js';
import { MyAccountController } from './my-account.controller.js';
import { MyAccountService } from './my-account.service.js';
import { Passwords } from './passwords.service.js';
import { SignInController } from './sign-in.controller.js';
import { SignInService } from './sign-in.service.js';

/** People who sign in with an e-mail address and a password, and leave when they want. */
@Module({
  imports: [AccountsModule, HostsModule, TeamsModule],
  controllers: [SignInController, MyAccountController, CredentialsController],
  providers: [
    { provide: MAIL, useFactory: mailOf, inject: [CONFIG] },
    Passwords,
    SignInService,
    CredentialsService,
    MyAccountService,
  ],
})
export class IdentityModule {}

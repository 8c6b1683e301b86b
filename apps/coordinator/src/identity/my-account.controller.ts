import { Body, Controller, Delete, HttpCode, Patch, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { account, deleteAccount, updateAccount, type Account } from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { clearSessionCookie, CurrentActor, type Actor } from '../http/index.js';
import { MyAccountService } from './my-account.service.js';

@ApiTags('accounts')
@Controller('v1/accounts/me')
export class MyAccountController {
  constructor(private readonly service: MyAccountService) {}

  @Patch()
  @ApiOkResponse({ standardSchema: account })
  async renameMyAccount(
    @CurrentActor() actor: Actor,
    @Body({ schema: updateAccount }) body: z.infer<typeof updateAccount>,
  ): Promise<Account> {
    return await this.service.rename(actor, body.name);
  }

  /** For good: name, e-mail address, machines and tokens are gone; the ledger keeps entries without a name. */
  @Delete()
  @HttpCode(204)
  @ApiNoContentResponse()
  async deleteMyAccount(
    @CurrentActor() actor: Actor,
    @Body({ schema: deleteAccount }) body: z.infer<typeof deleteAccount>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.service.delete(actor, body.name);
    clearSessionCookie(request, reply);
  }
}

import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  account,
  accountPage,
  claimAccount,
  createAccount,
  createdToken,
  createToken,
  entityId,
  pageQuery,
  type Account,
  type CreatedToken,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CurrentActor, linkNext, RequireScope, type Actor, type Page } from '../http/index.js';
import { AccountsService } from './accounts.service.js';
import { TokensService } from './tokens.service.js';

@ApiTags('accounts')
@Controller('v1/accounts')
export class AccountsController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly tokens: TokensService,
  ) {}

  @Post()
  @RequireScope('operate')
  @ApiCreatedResponse({ standardSchema: account })
  async createAccount(
    @CurrentActor() actor: Actor,
    @Body({ schema: createAccount }) body: z.infer<typeof createAccount>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Account> {
    const made = await this.accounts.create(actor, body);
    void reply.header('location', `/v1/accounts/${made.id}`);
    return made;
  }

  @Get()
  @RequireScope('operate')
  @ApiOkResponse({ standardSchema: accountPage })
  async listAccounts(
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<Account>> {
    const page = await this.accounts.list(query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  @Get('me')
  @ApiOkResponse({ standardSchema: account })
  async getMyAccount(@CurrentActor() actor: Actor): Promise<Account> {
    return await this.accounts.get(actor.accountId);
  }

  @Post('me/claims')
  @HttpCode(200)
  @RequireScope('work')
  @ApiOkResponse({ standardSchema: account, description: 'The claimed work counts as the same person’s' })
  async claimAnonymousWork(
    @CurrentActor() actor: Actor,
    @Body({ schema: claimAccount }) body: z.infer<typeof claimAccount>,
  ): Promise<Account> {
    return await this.accounts.claim(actor, body.secret);
  }

  @Get(':id')
  @RequireScope('operate')
  @ApiOkResponse({ standardSchema: account })
  async getAccount(@Param('id', { schema: entityId }) id: string): Promise<Account> {
    return await this.accounts.get(id);
  }

  @Post(':id/tokens')
  @RequireScope('operate')
  @ApiCreatedResponse({ standardSchema: createdToken })
  async createTokenFor(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Body({ schema: createToken }) body: z.infer<typeof createToken>,
  ): Promise<CreatedToken> {
    return await this.tokens.create(actor, id, body);
  }
}

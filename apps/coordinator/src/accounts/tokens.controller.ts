import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  createdToken,
  createToken,
  entityId,
  pageQuery,
  tokenPage,
  type CreatedToken,
  type Token,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CurrentActor, linkNext, type Actor, type Page } from '../http/index.js';
import { TokensService } from './tokens.service.js';

@ApiTags('accounts')
@Controller('v1/tokens')
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Post()
  @ApiCreatedResponse({ standardSchema: createdToken })
  async createToken(
    @CurrentActor() actor: Actor,
    @Body({ schema: createToken }) body: z.infer<typeof createToken>,
  ): Promise<CreatedToken> {
    return await this.tokens.create(actor, actor.accountId, body);
  }

  @Get()
  @ApiOkResponse({ standardSchema: tokenPage })
  async listTokens(
    @CurrentActor() actor: Actor,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<Token>> {
    const page = await this.tokens.list(actor, query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse()
  async revokeToken(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
  ): Promise<void> {
    await this.tokens.revoke(actor, id);
  }
}

import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { leaderboard, pageQuery, type Leaderboard } from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { linkNext, Public } from '../http/index.js';
import { LeaderboardsService } from './leaderboards.service.js';

/** Validated cycles of all time, for everybody to see. */
@ApiTags('leaderboards')
@Controller('v1/leaderboards')
export class LeaderboardsController {
  constructor(private readonly leaderboards: LeaderboardsService) {}

  @Get('accounts')
  @Public()
  @ApiOkResponse({ standardSchema: leaderboard })
  async rankAccounts(
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Leaderboard> {
    const page = await this.leaderboards.page('accounts', query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  @Get('hosts')
  @Public()
  @ApiOkResponse({ standardSchema: leaderboard })
  async rankHosts(
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Leaderboard> {
    const page = await this.leaderboards.page('hosts', query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }
}

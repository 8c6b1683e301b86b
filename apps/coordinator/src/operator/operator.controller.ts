import { Body, Controller, Delete, Get, HttpCode, Put, Query, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  auditPage,
  dispatchPause,
  operatorInbox,
  pageQuery,
  pauseDispatch,
  type AuditEntry,
  type DispatchPause,
  type OperatorInbox,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { DispatchPauses } from '../dispatch/index.js';
import { CurrentActor, linkNext, RequireScope, type Actor, type Page } from '../http/index.js';
import { OperatorService } from './operator.service.js';

@ApiTags('operator')
@Controller('v1/operator')
@RequireScope('operate')
export class OperatorController {
  constructor(
    private readonly service: OperatorService,
    private readonly pauses: DispatchPauses,
  ) {}

  /** Projects, app versions and hosts that wait for a decision. */
  @Get('inbox')
  @ApiOkResponse({ standardSchema: operatorInbox })
  async getOperatorInbox(): Promise<OperatorInbox> {
    return await this.service.inbox();
  }

  /** Nobody gets new work until it is resumed, and everybody who asks is told why. Results are taken as ever. */
  @Put('dispatch-pause')
  @ApiOkResponse({ standardSchema: dispatchPause })
  async pauseDispatch(
    @CurrentActor() actor: Actor,
    @Body({ schema: pauseDispatch }) body: z.infer<typeof pauseDispatch>,
  ): Promise<DispatchPause> {
    return await this.pauses.pause(actor, body.reason);
  }

  @Delete('dispatch-pause')
  @HttpCode(204)
  @ApiNoContentResponse()
  async resumeDispatch(@CurrentActor() actor: Actor): Promise<void> {
    await this.pauses.resume(actor);
  }

  /** Who decided what, newest first. */
  @Get('audit')
  @ApiOkResponse({ standardSchema: auditPage })
  async listAuditEntries(
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<AuditEntry>> {
    const page = await this.service.audit(query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }
}

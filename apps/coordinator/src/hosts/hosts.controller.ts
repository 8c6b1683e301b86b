import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  attachedHost,
  attachHost,
  entityId,
  holdHost,
  host,
  hostPage,
  pageQuery,
  updateHost,
  type AttachedHost,
  type Host,
  type UpdateHost,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CONFIG, type Config } from '../config/index.js';
import {
  callerNetwork,
  CurrentActor,
  linkNext,
  MaybeActor,
  OptionalToken,
  publicUrl,
  RequireScope,
  type Actor,
  type Page,
  Versions,
} from '../http/index.js';
import { HostsService } from './hosts.service.js';

/** What it computes changes all the time. */
const VERSIONS = new Versions<Host>(({ name, wishes }) => ({ name, wishes }));
const listQuery = pageQuery.extend({
  account: entityId
    .optional()
    .describe("Whose; the caller's own unless given, and only operators may name others."),
});

@ApiTags('hosts')
@Controller('v1/hosts')
export class HostsController {
  constructor(
    private readonly hosts: HostsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @OptionalToken()
  @ApiCreatedResponse({ standardSchema: attachedHost })
  async attachHost(
    @MaybeActor() actor: Actor | null,
    @Body({ schema: attachHost }) body: z.infer<typeof attachHost>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AttachedHost> {
    const attachment = await this.hosts.attach(actor, body.host, callerNetwork(request));
    void reply.header('location', `/v1/hosts/${attachment.hostId}`).header('cache-control', 'no-store');
    return { ...attachment, coordinator: { name: this.config.name, url: publicUrl(this.config, request) } };
  }

  @Get()
  @ApiOkResponse({ standardSchema: hostPage })
  async listHosts(
    @CurrentActor() actor: Actor,
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<Host>> {
    const page = await this.hosts.list(actor, query.account ?? actor.accountId, query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: host })
  async getHost(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Host> {
    return VERSIONS.tag(reply, await this.hosts.get(actor, id));
  }

  /** Names the host, asks it to run, pause or finish, or sets its preferences; it hears of it when it next calls. */
  @Patch(':id')
  @RequireScope('work')
  @ApiOkResponse({ standardSchema: host })
  async updateHost(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Body({ schema: updateHost }) body: UpdateHost,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Host> {
    return VERSIONS.tag(reply, await this.hosts.update(actor, id, body, VERSIONS.required(request)));
  }

  @Put(':id/hold')
  @RequireScope('operate')
  @ApiOkResponse({ standardSchema: host })
  async holdHost(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Body({ schema: holdHost }) body: z.infer<typeof holdHost>,
  ): Promise<Host> {
    return await this.hosts.hold(actor, id, body.reason);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse()
  async detachHost(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
  ): Promise<void> {
    await this.hosts.detach(actor, id);
  }
}

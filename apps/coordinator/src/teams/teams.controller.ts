import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
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
  entityId,
  foundTeam,
  myTeam,
  pageQuery,
  team,
  teamMemberPage,
  teamPage,
  teamsQuery,
  updateTeam,
  type FoundTeam,
  type MyTeam,
  type Team,
  type TeamMember,
  type TeamPage,
  type TeamsQuery,
  type UpdateTeam,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  CurrentActor,
  linkNext,
  Public,
  PublicReads,
  RequireScope,
  type Actor,
  type Page,
  Versions,
} from '../http/index.js';
import { TeamsService } from './teams.service.js';

/** Members and credit change all the time. */
const VERSIONS = new Versions<Team>(({ name, description }) => ({ name, description }));

@ApiTags('teams')
@Controller('v1/teams')
export class TeamsController {
  constructor(private readonly teams: TeamsService) {}

  /** Newest first, all of them or those with `q` in their names; the leaderboard of teams ranks them. */
  @Get()
  @Public()
  @PublicReads()
  @ApiOkResponse({ standardSchema: teamPage })
  async listTeams(
    @Query({ schema: teamsQuery }) query: TeamsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TeamPage> {
    const page = await this.teams.list(query);
    linkNext(request, reply, page);
    return page;
  }

  /** Its founder is its first member, and leaves the team that they were in. */
  @Post()
  @RequireScope('work')
  @ApiCreatedResponse({ standardSchema: team })
  async foundTeam(
    @CurrentActor() actor: Actor,
    @Body({ schema: foundTeam }) body: FoundTeam,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Team> {
    const founded = await this.teams.found(actor, body);
    void reply.header('location', `/v1/teams/${founded.id}`);
    return VERSIONS.tag(reply, founded);
  }

  @Get('mine')
  @ApiOkResponse({ standardSchema: myTeam })
  async getMyTeam(@CurrentActor() actor: Actor): Promise<MyTeam> {
    return { team: await this.teams.ofAccount(actor.accountId) };
  }

  @Get(':id')
  @Public()
  @PublicReads()
  @ApiOkResponse({ standardSchema: team })
  async getTeam(
    @Param('id', { schema: entityId }) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Team> {
    return VERSIONS.tag(reply, await this.teams.get(id));
  }

  @Patch(':id')
  @RequireScope('work')
  @ApiOkResponse({ standardSchema: team })
  async updateTeam(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
    @Body({ schema: updateTeam }) body: UpdateTeam,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Team> {
    return VERSIONS.tag(reply, await this.teams.update(actor, id, body, VERSIONS.required(request)));
  }

  /** Those who earned most for it since they joined, first. */
  @Get(':id/members')
  @Public()
  @PublicReads()
  @ApiOkResponse({ standardSchema: teamMemberPage })
  async listTeamMembers(
    @Param('id', { schema: entityId }) id: string,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<TeamMember>> {
    const page = await this.teams.members(id, query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  /** From now on what the caller earns counts for the team as well. Repeating it changes nothing. */
  @Put(':id/members/me')
  @RequireScope('work')
  @ApiOkResponse({ standardSchema: team })
  async joinTeam(@CurrentActor() actor: Actor, @Param('id', { schema: entityId }) id: string): Promise<Team> {
    return await this.teams.join(actor, id);
  }

  /** What they earned for the team stays with it. */
  @Delete(':id/members/me')
  @HttpCode(204)
  @RequireScope('work')
  @ApiNoContentResponse()
  async leaveTeam(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: entityId }) id: string,
  ): Promise<void> {
    await this.teams.leave(actor, id);
  }
}

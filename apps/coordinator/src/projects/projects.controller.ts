import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  addScientist,
  createProject,
  pageQuery,
  project,
  projectPage,
  slug,
  updateProject,
  type Project,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  CurrentActor,
  linkNext,
  MaybeActor,
  OptionalToken,
  RequireScope,
  type Actor,
  type Page,
  Versions,
} from '../http/index.js';
import { ProjectsService } from './projects.service.js';

const VERSIONS = new Versions<Project>((project) => project);

@ApiTags('projects')
@Controller('v1/projects')
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Post()
  @RequireScope('submit')
  @ApiCreatedResponse({ standardSchema: project })
  async createProject(
    @CurrentActor() actor: Actor,
    @Body({ schema: createProject }) body: z.infer<typeof createProject>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Project> {
    const made = await this.projects.create(actor, body);
    void reply.header('location', `/v1/projects/${made.slug}`);
    return VERSIONS.tag(reply, made);
  }

  @Get()
  @OptionalToken()
  @ApiOkResponse({ standardSchema: projectPage })
  async listProjects(
    @MaybeActor() actor: Actor | null,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<Project>> {
    const page = await this.projects.list(actor, query.cursor, query.limit);
    linkNext(request, reply, page);
    return page;
  }

  @Get(':slug')
  @OptionalToken()
  @ApiOkResponse({ standardSchema: project })
  async getProject(
    @MaybeActor() actor: Actor | null,
    @Param('slug', { schema: slug }) name: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Project> {
    return VERSIONS.tag(reply, await this.projects.get(actor, name));
  }

  @Patch(':slug')
  @RequireScope('submit')
  @ApiOkResponse({ standardSchema: project })
  async updateProject(
    @CurrentActor() actor: Actor,
    @Param('slug', { schema: slug }) name: string,
    @Body({ schema: updateProject }) body: z.infer<typeof updateProject>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Project> {
    return VERSIONS.tag(reply, await this.projects.update(actor, name, body, VERSIONS.required(request)));
  }

  @Post(':slug/approval')
  @HttpCode(200)
  @RequireScope('operate')
  @ApiOkResponse({ standardSchema: project })
  async approveProject(
    @CurrentActor() actor: Actor,
    @Param('slug', { schema: slug }) name: string,
  ): Promise<Project> {
    return await this.projects.approve(actor, name);
  }

  @Post(':slug/scientists')
  @HttpCode(204)
  @RequireScope('operate')
  @ApiNoContentResponse()
  async addScientist(
    @CurrentActor() actor: Actor,
    @Param('slug', { schema: slug }) name: string,
    @Body({ schema: addScientist }) body: z.infer<typeof addScientist>,
  ): Promise<void> {
    await this.projects.addScientist(actor, name, body.accountId);
  }
}

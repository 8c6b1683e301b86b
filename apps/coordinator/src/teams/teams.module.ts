import { Module } from '@nestjs/common';
import { JoinPace } from './join-pace.js';
import { TeamsController } from './teams.controller.js';
import { TeamsService } from './teams.service.js';

/** Volunteers who count together. */
@Module({ controllers: [TeamsController], providers: [TeamsService, JoinPace], exports: [TeamsService] })
export class TeamsModule {}

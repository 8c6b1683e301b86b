import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { recountStatistics } from '@gleaner/protocol';
import type { z } from 'zod';
import { CurrentActor, RequireScope, type Actor } from '../http/index.js';
import { StatsUpkeep } from './stats-upkeep.service.js';

/** For operators who doubt what is shown: both are made anew from the ledger. */
@ApiTags('operator')
@Controller('v1/operator')
@RequireScope('operate')
export class UpkeepController {
  constructor(private readonly upkeep: StatsUpkeep) {}

  /** Counts a day of UTC from the ledger as if it had never been counted. Bytes that the swarm saved are not in it, and stay. */
  @Post('statistics/recount')
  @HttpCode(204)
  @ApiNoContentResponse()
  async recountStatistics(
    @CurrentActor() actor: Actor,
    @Body({ schema: recountStatistics }) { day }: z.infer<typeof recountStatistics>,
  ): Promise<void> {
    await this.upkeep.recount(actor, day);
  }

  /** Begins to make all rows of all boards anew, every entry in the periods that it was granted in; takes minutes for millions. */
  @Post('boards/rebuild')
  @HttpCode(202)
  @ApiAcceptedResponse()
  async rebuildBoards(@CurrentActor() actor: Actor): Promise<void> {
    await this.upkeep.rebuildBoards(actor);
  }
}

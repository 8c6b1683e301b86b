import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  boardKind,
  boardPage,
  boardQuery,
  type BoardKind,
  type BoardPage,
  type BoardQuery,
} from '@gleaner/protocol';
import { Public } from '../http/index.js';
import { BoardsService } from './boards.service.js';

@ApiTags('leaderboards')
@Controller('v1/boards')
@Public()
export class BoardsController {
  constructor(private readonly boards: BoardsService) {}

  /** Ranks of a period, by page or by name. */
  @Get(':kind')
  @ApiOkResponse({ standardSchema: boardPage })
  async getBoard(
    @Param('kind', { schema: boardKind }) kind: BoardKind,
    @Query({ schema: boardQuery }) query: BoardQuery,
  ): Promise<BoardPage> {
    return await this.boards.page(kind, query);
  }
}

import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  boardKind,
  boardPage,
  boardQuery,
  boardRow,
  boardRowQuery,
  entityId,
  type BoardKind,
  type BoardPage,
  type BoardQuery,
  type BoardRow,
  type BoardRowQuery,
} from '@gleaner/protocol';
import { Public, PublicReads } from '../http/index.js';
import { BoardsService } from './boards.service.js';

@ApiTags('leaderboards')
@Controller('v1/boards')
@Public()
@PublicReads()
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

  /** The place of one account, host or team. */
  @Get(':kind/rows/:id')
  @ApiOkResponse({ standardSchema: boardRow })
  async getBoardRow(
    @Param('kind', { schema: boardKind }) kind: BoardKind,
    @Param('id', { schema: entityId }) id: string,
    @Query({ schema: boardRowQuery }) query: BoardRowQuery,
  ): Promise<BoardRow> {
    return await this.boards.row(kind, query.period, id);
  }
}

import type { BoardKind } from '@gleaner/protocol';
import type { EntityManager } from 'typeorm';
import { takeBoard } from './board-claims.js';

/**
 * Boards take over a name when credit comes; where the old one must be gone at once, this is for it. Whoever takes it over at this
 * moment would write the old one after it.
 *
 * @throws {DomainError} `server-busy`
 */
export async function renameOnBoards(
  manager: EntityManager,
  kind: BoardKind,
  ids: readonly string[],
  name: string,
): Promise<void> {
  await takeBoard(manager, kind);
  await manager.query('UPDATE board_name SET name = $3 WHERE kind = $1 AND id = ANY($2::bigint[])', [
    kind,
    ids,
    name,
  ]);
}

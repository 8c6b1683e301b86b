import type { BoardKind } from '@gleaner/protocol';
import type { EntityManager } from 'typeorm';

/** Boards take over a name when credit comes; where the old one must be gone at once, this is for it. */
export async function renameOnBoards(
  manager: EntityManager,
  kind: BoardKind,
  ids: readonly string[],
  name: string,
): Promise<void> {
  await manager.query('UPDATE board_name SET name = $3 WHERE kind = $1 AND id = ANY($2::bigint[])', [
    kind,
    ids,
    name,
  ]);
}

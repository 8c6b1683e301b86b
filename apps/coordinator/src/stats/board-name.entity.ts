import type { BoardKind } from '@gleaner/protocol';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

// Operator classes are beyond what TypeORM can express.
@Entity('board_name')
@Index('board_name_beginning', { synchronize: false })
@Index('board_name_part', { synchronize: false })
@Check('board_name_kind', "kind IN ('accounts', 'hosts', 'teams')")
export class BoardNameEntity {
  @PrimaryColumn({ type: 'text' })
  kind: BoardKind;

  @PrimaryColumn({ type: 'bigint' })
  id: string;

  @Column({ type: 'text' })
  name: string;
}

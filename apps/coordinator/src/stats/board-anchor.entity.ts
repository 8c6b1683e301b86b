import type { BoardKind, BoardPeriod } from '@gleaner/protocol';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('board_anchor')
export class BoardAnchorEntity {
  @PrimaryColumn({ type: 'text' })
  kind: BoardKind;

  @PrimaryColumn({ type: 'text' })
  period: BoardPeriod;

  @PrimaryColumn({ type: 'bigint' })
  rank: string;

  /** First day of the period. */
  @Column({ type: 'date' })
  starts: string;

  @Column({ type: 'text' })
  value: string;

  @Column({ type: 'bigint' })
  id: string;
}

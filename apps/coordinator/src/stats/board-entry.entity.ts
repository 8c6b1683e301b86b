import type { BoardKind } from '@gleaner/protocol';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

// Descending columns are beyond what TypeORM can express.
@Entity('board_entry')
@Index('board_entry_all', { synchronize: false })
@Index('board_entry_recent', { synchronize: false })
@Index('board_entry_day', { synchronize: false })
@Index('board_entry_week', { synchronize: false })
@Index('board_entry_month', { synchronize: false })
@Check('board_entry_kind', "kind IN ('accounts', 'hosts', 'teams')")
export class BoardEntryEntity {
  @PrimaryColumn({ type: 'text' })
  kind: BoardKind;

  @PrimaryColumn({ type: 'bigint' })
  id: string;

  @Column({ type: 'numeric' })
  cycles: string;

  @Column({ type: 'bigint' })
  tasks: string;

  @Column({ type: 'double precision' })
  recent: number;

  @Column({ type: 'date' })
  day: string;

  @Column({ type: 'numeric', name: 'day_cycles' })
  dayCycles: string;

  @Column({ type: 'date' })
  week: string;

  @Column({ type: 'numeric', name: 'week_cycles' })
  weekCycles: string;

  @Column({ type: 'date' })
  month: string;

  @Column({ type: 'numeric', name: 'month_cycles' })
  monthCycles: string;
}

import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('board_cursor')
@Check('board_cursor_one', 'id')
export class BoardCursorEntity {
  @PrimaryColumn({ type: 'boolean', default: true })
  id: boolean;

  @Column({ type: 'timestamptz', name: 'taken_to' })
  takenTo: Date;
}

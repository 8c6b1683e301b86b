import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';

@Entity('dispatch_pause')
@Check('dispatch_pause_one', 'id = 1')
export class DispatchPauseEntity {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  reason: string;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  since: Date;

  @Column({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'dispatch_pause_account' })
  accountId: string;
}

import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';

@Entity('account_credit')
export class AccountCreditEntity {
  @PrimaryColumn({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'account_credit_account' })
  accountId: string;

  @Column({ type: 'numeric', default: 0 })
  cycles: string;

  @Column({ type: 'bigint', default: 0 })
  tasks: string;
}

import { Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';
import { IdentityUserEntity } from './identity-user.entity.js';

/** Whose account an identity is. */
@Entity('account_identity')
@Unique('account_identity_user_once', ['userId'])
export class AccountIdentityEntity {
  @PrimaryColumn({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'account_identity_account' })
  accountId: string;

  @Column({ type: 'text', name: 'user_id' })
  @ForeignKey(() => IdentityUserEntity, { name: 'account_identity_user', onDelete: 'CASCADE' })
  userId: string;
}

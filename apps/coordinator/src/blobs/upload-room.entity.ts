import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AccountEntity } from '../accounts/account.entity.js';

/** Sum of what an account's grants and holds count for. Kept by triggers. */
@Entity('upload_room')
export class UploadRoomEntity {
  @PrimaryColumn({ type: 'bigint', name: 'account_id' })
  @ForeignKey(() => AccountEntity, { name: 'upload_room_account' })
  accountId: string;

  @Column({ type: 'bigint', name: 'held_bytes' })
  readonly heldBytes: string;
}

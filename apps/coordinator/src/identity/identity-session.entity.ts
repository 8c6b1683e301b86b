import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { IdentityUserEntity } from './identity-user.entity.js';

/** better-auth makes one at every sign-in; it is exchanged for a token of ours and removed at once. */
@Entity('identity_session')
@Unique('identity_session_token', ['token'])
@Index('identity_session_by_user', ['userId'])
export class IdentitySessionEntity {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt: Date;

  @Column({ type: 'text' })
  token: string;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;

  @Column({ type: 'text', name: 'ip_address', nullable: true })
  ipAddress: string | null;

  @Column({ type: 'text', name: 'user_agent', nullable: true })
  userAgent: string | null;

  @Column({ type: 'text', name: 'user_id' })
  @ForeignKey(() => IdentityUserEntity, { name: 'identity_session_user', onDelete: 'CASCADE' })
  userId: string;
}

import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { IdentityUserEntity } from './identity-user.entity.js';

/** How a person proves who they are: the scrypt hash of a password (the other columns are for providers we do not use). */
@Entity('identity_credential')
@Index('identity_credential_by_user', ['userId'])
export class IdentityCredentialEntity {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text', name: 'account_id' })
  accountId: string;

  @Column({ type: 'text', name: 'provider_id' })
  providerId: string;

  @Column({ type: 'text', name: 'user_id' })
  @ForeignKey(() => IdentityUserEntity, { name: 'identity_credential_user', onDelete: 'CASCADE' })
  userId: string;

  @Column({ type: 'text', name: 'access_token', nullable: true })
  accessToken: string | null;

  @Column({ type: 'text', name: 'refresh_token', nullable: true })
  refreshToken: string | null;

  @Column({ type: 'text', name: 'id_token', nullable: true })
  idToken: string | null;

  @Column({ type: 'timestamptz', name: 'access_token_expires_at', nullable: true })
  accessTokenExpiresAt: Date | null;

  @Column({ type: 'timestamptz', name: 'refresh_token_expires_at', nullable: true })
  refreshTokenExpiresAt: Date | null;

  @Column({ type: 'text', nullable: true })
  scope: string | null;

  @Column({ type: 'text', nullable: true })
  password: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;
}

import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A reset code that was mailed; `identifier` is a hash. */
@Entity('identity_verification')
@Index('identity_verification_identifier', ['identifier'])
export class IdentityVerificationEntity {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  identifier: string;

  @Column({ type: 'text' })
  value: string;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt: Date;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;
}

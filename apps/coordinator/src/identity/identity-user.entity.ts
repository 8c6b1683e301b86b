import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A person as better-auth knows them. */
@Entity('identity_user')
@Unique('identity_user_email', ['email'])
export class IdentityUserEntity {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  name: string;

  /** Lower case. */
  @Column({ type: 'text' })
  email: string;

  @Column({ type: 'boolean', name: 'email_verified' })
  emailVerified: boolean;

  @Column({ type: 'text', nullable: true })
  image: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;
}

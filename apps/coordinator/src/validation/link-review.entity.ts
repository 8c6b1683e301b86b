import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Accounts that have become one person's; without `reviewedAt`, their common units are still to be looked at. */
@Entity('link_review')
export class LinkReviewEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column({ type: 'bigint', name: 'account_ids', array: true })
  accountIds: string[];

  @Column({ type: 'timestamptz', name: 'linked_at', default: () => 'now()' })
  linkedAt: Date;

  @Column({ type: 'timestamptz', name: 'reviewed_at', nullable: true })
  reviewedAt: Date | null;
}

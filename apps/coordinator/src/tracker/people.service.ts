import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';

/** Whose an account is. */
export interface AccountPerson {
  readonly personId: string;
  readonly isAnonymous: boolean;
}

const rows = z.array(z.object({ personId: z.string(), isAnonymous: z.boolean() }).nullable());

@Injectable()
export class People {
  constructor(private readonly dataSource: DataSource) {}

  /** In the accounts' order; null for an account that is none. */
  async find(accountIds: readonly string[]): Promise<Array<AccountPerson | null>> {
    const found: Array<{ person: unknown }> = await this.dataSource.query(
      `SELECT CASE WHEN a.id IS NOT NULL THEN json_build_object('personId', coalesce(a.person_id, a.id)::text,
                'isAnonymous', a.anonymous AND a.person_id IS NULL) END AS person
         FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted(id, n) LEFT JOIN account a ON a.id = wanted.id ORDER BY n`,
      [accountIds],
    );
    return rows.parse(found.map(({ person }) => person));
  }
}

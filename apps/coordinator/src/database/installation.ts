import type { DataSource } from 'typeorm';
import { z } from 'zod';

/** Injection token of the {@link Installation}. */
export const INSTALLATION = Symbol('INSTALLATION');

/** All coordinators that share one database. */
export interface Installation {
  /** Begins the names of all that they keep elsewhere: `gleaner-` and twelve characters. */
  readonly namespace: string;
}

const rows = z.tuple([z.object({ namespace: z.string().min(1) })]);

export async function readInstallation(dataSource: DataSource): Promise<Installation> {
  const [{ namespace }] = rows.parse(await dataSource.query('SELECT namespace FROM installation'));
  return { namespace: `gleaner-${namespace}` };
}

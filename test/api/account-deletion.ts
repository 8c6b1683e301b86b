import { attachedHost } from '@gleaner/protocol';
import type { Test } from 'supertest';
import { expect } from 'vitest';
import { Rival, type TestApplication, type TestPerson } from '../support/index.js';

export const HOST = { host: { name: 'a name', kind: 'agent', cores: 1, memoryMiB: 1024 } };

/** What a deletion comes to when it has locked the account. */
export const HOSTS = 'SELECT FROM host WHERE account_id = $1 FOR UPDATE';
/** What it comes to when nearly everything is gone. */
export const APPROVALS =
  "SELECT FROM audit_entry WHERE account_id = $1 AND action = 'device.approve' FOR UPDATE";

const statusOf = async (request: Test): Promise<number> => (await request).status;

/** The answer to what is begun while a person's account is being deleted, which waits for what is held. */
export async function statusWhileDeleting(
  { dataSource }: TestApplication,
  person: TestPerson,
  begin: () => Test,
  held: typeof HOSTS | typeof APPROVALS = HOSTS,
): Promise<number> {
  attachedHost.parse((await person.post('/v1/hosts', HOST).expect(201)).body);
  await dataSource.query(
    "INSERT INTO audit_entry (account_id, action, subject) VALUES ($1, 'device.approve', 'a machine')",
    [person.account.id],
  );
  await using rival = await Rival.holding(dataSource, held, [person.account.id]);
  const deleted = statusOf(person.delete('/v1/accounts/me').send({ name: person.account.name }));
  await rival.isWaitedForBy(1);
  const begun = statusOf(begin());
  await rival.isWaitedForBy(2);
  await rival.commit();
  expect(await deleted).toBe(204);
  return await begun;
}

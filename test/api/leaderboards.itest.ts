import { leaderboard } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

/** Accounts with this many cycles each, in the given order of creation; beyond 64 bits as a busy year would be. */
async function creditAccounts(cycles: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const amount of cycles) {
    const { account } = await aPerson(gleaner, { name: `earned ${amount}` });
    await gleaner.dataSource.query(
      'INSERT INTO account_credit (account_id, cycles, tasks) VALUES ($1, $2, 1)',
      [account.id, amount],
    );
    ids.push(account.id);
  }
  return ids;
}

describe('leaderboards', () => {
  it('rank accounts by exact credit, equal ones by age, across pages and without a token', async () => {
    const [small, huge, tieFirst, tieSecond, nothing] = await creditAccounts([
      '7',
      '340282366920938463463374607431768211457',
      '340282366920938463463374607431768211456',
      '340282366920938463463374607431768211456',
      '0',
    ]);
    // As of somebody who has claimed anonymous work: theirs is a sum, and found by itself.
    await gleaner.dataSource.query('UPDATE account SET person_id = id WHERE id = $1', [tieFirst]);
    const first = await gleaner.http.get('/v1/leaderboards/accounts?limit=2').expect(200);
    const firstPage = leaderboard.parse(first.body);
    expect(firstPage.items).toMatchObject([
      { rank: 1, id: huge, credit: '340282366920938463463374607431768211457' },
      { rank: 2, id: tieFirst },
    ]);
    expect(first.headers['link']).toContain('rel="next"');
    const next = await gleaner.http
      .get(`/v1/leaderboards/accounts?limit=2&cursor=${firstPage.nextCursor ?? ''}`)
      .expect(200);
    const lastPage = leaderboard.parse(next.body);
    expect(lastPage.items).toMatchObject([
      { rank: 3, id: tieSecond },
      { rank: 4, id: small, name: 'earned 7', credit: '7', validTasks: 1 },
    ]);
    expect(lastPage.nextCursor).toBeNull();
    expect([...firstPage.items, ...lastPage.items].map(({ id }) => id)).not.toContain(nothing);
  });

  it('refuse a cursor of another list and a limit out of bounds, naming the parameter', async () => {
    const cursor = Buffer.from('["5"]').toString('base64url');
    const wrong = await gleaner.http.get(`/v1/leaderboards/hosts?cursor=${cursor}`).expect(400);
    expect(wrong.body).toMatchObject({ code: 'invalid-cursor', errors: [{ pointer: '/cursor' }] });
    const tooMany = await gleaner.http.get('/v1/leaderboards/hosts?limit=100000').expect(400);
    expect(tooMany.headers['content-type']).toContain('application/problem+json');
  });
});

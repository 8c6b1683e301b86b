import { LASTING_CHANGES_PER_HOUR, LastingChanges } from '@gleaner/coordinator';
import { attachedHost, deviceCode, problem } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  createTestApplication,
  operatorOf,
  type TestApplication,
  type TestPerson,
} from '../support/index.js';
import { HOST } from './account-deletion.js';

/* What one account can make the database keep for good. */

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication({ env: { GLEANER_REQUESTS_PER_MINUTE: '100000' } });
});
afterAll(() => gleaner.close());

const aToken = { label: 'a script', scopes: ['work'] };

/** As many as are allowed in an hour but `left`, of which there is nothing else to see. */
function takeAllBut(
  left: number,
  { account }: TestPerson,
  kind: keyof typeof LASTING_CHANGES_PER_HOUR,
): void {
  const changes = gleaner.app.get(LastingChanges);
  for (let n = left; n < LASTING_CHANGES_PER_HOUR[kind]; n += 1) {
    changes.take({ accountId: account.id, operator: false }, kind);
  }
}

describe('what one account leaves for good', () => {
  it('is bounded in an hour: tokens, sessions and names together', async () => {
    const ada = await aPerson(gleaner);
    takeAllBut(3, ada, 'others');
    const rename = () => ada.patch('/v1/accounts/me').send({ name: 'Ada' });
    await ada.post('/v1/tokens', aToken).expect(201);
    await ada.post('/v1/session/token').expect(200);
    await rename().expect(200);
    const refused = await rename().expect(429);
    expect(problem.parse(refused.body).detail).toMatch(
      /^At most 200 tokens, .* in an hour\. Try again in \d+ s\.$/,
    );
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await ada.post('/v1/tokens', aToken).expect(429);
    await ada.post('/v1/session/token').expect(429);
    await ada.post('/v1/device/approve', { userCode: 'BCDF-GHJK' }).expect(429);
    await ada.post('/v1/hosts', HOST).expect(201);
    await (await aPerson(gleaner)).post('/v1/tokens', aToken).expect(201);
  });

  it('is bounded in an hour: machines', async () => {
    const ada = await aPerson(gleaner);
    takeAllBut(1, ada, 'machines');
    await ada.post('/v1/hosts', HOST).expect(201);
    const refused = await ada.post('/v1/hosts', HOST).expect(429);
    expect(problem.parse(refused.body).detail).toMatch(
      /^At most 2000 machines are attached to one account in an hour\./,
    );
  });

  it('is not bounded for operators', async () => {
    const operator = operatorOf(gleaner);
    for (let n = 0; n <= LASTING_CHANGES_PER_HOUR.others; n += 1) {
      await operator.post('/v1/tokens', aToken).expect(201);
    }
  });
});

describe('an account has at a time', () => {
  it('a thousand valid tokens, until it revokes some', async () => {
    const { account, ...ada } = await aPerson(gleaner);
    await gleaner.dataSource.query(
      `INSERT INTO api_token (account_id, secret_sha256, label, scopes, revoked_at)
       SELECT $1, sha256(($1::bigint || ' ' || n)::bytea), 'a script', '{work}', CASE WHEN n > 999 THEN now() END
         FROM generate_series(1, 1500) n`,
      [account.id],
    );
    const refused = await ada.post('/v1/tokens', aToken).expect(409);
    expect(problem.parse(refused.body)).toMatchObject({
      code: 'conflict',
      detail: '1000 tokens of the account are valid: revoke those that nobody uses any more.',
    });
    await gleaner.dataSource.query(
      'UPDATE api_token SET revoked_at = now() WHERE id = (SELECT max(id) FROM api_token WHERE account_id = $1 AND revoked_at IS NULL)',
      [account.id],
    );
    await ada.post('/v1/tokens', aToken).expect(201);
    await ada.post('/v1/tokens', aToken).expect(409);
    await operatorOf(gleaner).post(`/v1/accounts/${account.id}/tokens`, aToken).expect(201);
  });

  it('ten thousand machines, until it detaches some or is an operator’s', async () => {
    const { account, ...ada } = await aPerson(gleaner);
    const { hostId } = attachedHost.parse((await ada.post('/v1/hosts', HOST).expect(201)).body);
    await gleaner.dataSource.query(
      `INSERT INTO host (account_id, name, kind, platform, cores, memory_mib, agent_version)
       SELECT $1, 'one of many', 'agent', 'linux', 1, 1024, '1' FROM generate_series(1, 9999)`,
      [account.id],
    );
    const refused = await ada.post('/v1/hosts', HOST).expect(409);
    expect(problem.parse(refused.body).detail).toMatch(
      /^10000 machines are attached .*: detach those that are gone/,
    );
    const byCode = gleaner.http.post('/v1/device/code').send(HOST);
    const { deviceCode: code, userCode } = deviceCode.parse((await byCode.expect(201)).body);
    await ada.post('/v1/device/approve', { userCode }).expect(200);
    const redeem = () => gleaner.http.post('/v1/device/token').send({ deviceCode: code });
    expect(problem.parse((await redeem().expect(409)).body).code).toBe('conflict');
    await ada.delete(`/v1/hosts/${hostId}`).expect(204);
    await redeem().expect(200);
    await ada.post('/v1/hosts', HOST).expect(409);
    await gleaner.dataSource.query('UPDATE account SET operator = true WHERE id = $1', [account.id]);
    await ada.post('/v1/hosts', HOST).expect(201);
  });

  it('twenty teams to keep', async () => {
    const ada = await aPerson(gleaner);
    const found = (n: number) => ada.post('/v1/teams', { name: `Team ${n} of many` });
    for (let n = 0; n < 20; n += 1) await found(n).expect(201);
    const refused = await found(20).expect(409);
    expect(problem.parse(refused.body)).toMatchObject({
      code: 'conflict',
      detail: 'You keep 20 teams: go back to one of them, and give it another name if you like.',
    });
  });
});

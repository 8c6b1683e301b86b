import { account, accountPage, createdToken, tokenPage, attachedHost } from '@gleaner/protocol';
import { AccountEvents } from '@gleaner/coordinator';
import type supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  clientWith,
  createTestApplication,
  operatorOf,
  type TestApplication,
} from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

const facts = { name: 'laptop', kind: 'agent', cores: 4, memoryMiB: 8192 };

describe('accounts', () => {
  it('are made by operators and seen by their owners', async () => {
    const ada = await aPerson(gleaner, { name: 'Ada' });
    const me = account.parse((await ada.get('/v1/accounts/me').expect(200)).body);
    expect(me).toMatchObject({ name: 'Ada', anonymous: false, operator: false, credit: '0' });
    const refused = await ada.post('/v1/accounts', { name: 'Eve' }).expect(403);
    expect(refused.body).toMatchObject({ code: 'forbidden' });
    await ada.get(`/v1/accounts/${me.id}`).expect(403);
  });

  it('are listed in pages that never repeat or leave out one', async () => {
    for (let i = 0; i < 5; i++) await aPerson(gleaner);
    const operator = operatorOf(gleaner);
    const all = accountPage.parse((await operator.get('/v1/accounts?limit=200').expect(200)).body);
    const seen: string[] = [];
    let path: string | null = '/v1/accounts?limit=2';
    while (path !== null) {
      const response: supertest.Response = await operator.get(path).expect(200);
      const page = accountPage.parse(response.body);
      seen.push(...page.items.map(({ id }) => id));
      const link = response.get('link')?.toString();
      expect(link === undefined).toBe(page.nextCursor === null);
      path = link === undefined ? null : (/<(.*)>; rel="next"/.exec(link)?.[1] ?? null);
    }
    expect(seen).toEqual(all.items.map(({ id }) => id));
  });

  it.each([
    ['an unknown field', { name: 'x', nmae: 'y' }, '/nmae'],
    ['a missing name', {}, '/name'],
    ['a name of the wrong type', { name: 7 }, '/name'],
    ['a name that is too long', { name: 'x'.repeat(500) }, '/name'],
  ])('are refused with a pointer for %s', async (_case, body, pointer) => {
    const before: unknown = await gleaner.dataSource.query('SELECT count(*) FROM account');
    const response = await operatorOf(gleaner).post('/v1/accounts', body).expect(400);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).toMatchObject({ code: 'invalid-request', errors: [{ pointer }] });
    expect(await gleaner.dataSource.query('SELECT count(*) FROM account')).toEqual(before);
  });

  it.each([
    ['text that is no JSON', 'application/json', '{"name": ', 400, 'malformed-json'],
    ['an empty body', 'application/json', '', 400, 'invalid-request'],
    ['another content type', 'text/plain', 'name=x', 415, 'unsupported-media-type'],
    ['a form', 'application/x-www-form-urlencoded', 'name=x', 415, 'unsupported-media-type'],
    ['too much', 'application/json', JSON.stringify({ name: 'x'.repeat(9 << 20) }), 413, 'too-large'],
    ['a list', 'application/json', '[]', 400, 'invalid-request'],
    ['null', 'application/json', 'null', 400, 'invalid-request'],
  ])('are refused for %s', async (_case, type, body, status, code) => {
    const response = await operatorOf(gleaner)
      .post('/v1/accounts')
      .set('content-type', type)
      .send(body)
      .expect(status);
    expect(response.body).toMatchObject({ code, status });
  });
});

describe('tokens', () => {
  it('are shown once, listed without their secret, and end when revoked', async () => {
    const ada = await aPerson(gleaner);
    const made = createdToken.parse(
      (await ada.post('/v1/tokens', { label: 'laptop', scopes: ['work'] }).expect(201)).body,
    );
    expect(made.secret).toMatch(/^gln_/);
    const listed = await ada.get('/v1/tokens').expect(200);
    expect(tokenPage.parse(listed.body).items.map(({ label }) => label)).toContain('laptop');
    expect(listed.text).not.toContain(made.secret);
    const laptop = clientWith(gleaner, made.secret);
    await laptop.get('/v1/accounts/me').expect(200);
    const used = tokenPage.parse((await ada.get('/v1/tokens').expect(200)).body);
    expect(used.items.find(({ label }) => label === 'laptop')?.lastUsedAt).toEqual(expect.any(String));
    await ada.delete(`/v1/tokens/${made.token.id}`).expect(204);
    await ada.delete(`/v1/tokens/${made.token.id}`).expect(204);
    const refused = await laptop.get('/v1/accounts/me').expect(401);
    expect(refused.headers['www-authenticate']).toContain('Bearer');
    expect(refused.body).toMatchObject({ code: 'unauthorised' });
  });

  it('are stored only as a hash', async () => {
    const { token } = await aPerson(gleaner);
    const rows: unknown = await gleaner.dataSource.query('SELECT api_token::text AS row FROM api_token');
    expect(JSON.stringify(rows)).not.toContain(token.slice(4));
  });

  it('never give more than their maker may do', async () => {
    const worker = await aPerson(gleaner, { scopes: ['work'] });
    const response = await worker
      .post('/v1/tokens', { label: 'more', scopes: ['work', 'submit'] })
      .expect(403);
    expect(response.body).toMatchObject({ errors: [{ pointer: '/scopes' }] });
    const operating = await operatorOf(gleaner)
      .post(`/v1/accounts/${worker.account.id}/tokens`, { label: 'root', scopes: ['operate'] })
      .expect(400);
    expect(operating.body).toMatchObject({ errors: [{ pointer: '/scopes' }] });
  });

  it('never end what may do more than themselves: a token, a machine, an account', async () => {
    const ada = await aPerson(gleaner);
    const lesser = async (scopes: readonly string[]) =>
      clientWith(
        gleaner,
        createdToken.parse((await ada.post('/v1/tokens', { label: 'lesser', scopes }).expect(201)).body)
          .secret,
      );
    const [worker, submitter] = [await lesser(['work']), await lesser(['submit'])];
    const more = { label: 'more', scopes: ['work', 'submit'] };
    const { token } = createdToken.parse((await ada.post('/v1/tokens', more).expect(201)).body);
    const refused = await worker.delete(`/v1/tokens/${token.id}`).expect(403);
    expect(refused.body).toMatchObject({ detail: expect.stringContaining('submit') as string });
    await submitter.delete(`/v1/tokens/${token.id}`).expect(403);
    const { hostId } = attachedHost.parse((await ada.post('/v1/hosts', { host: facts }).expect(201)).body);
    await submitter.delete(`/v1/hosts/${hostId}`).expect(403);
    for (const client of [worker, submitter]) {
      await client.delete('/v1/accounts/me').send({ name: ada.account.name }).expect(403);
    }
    await worker.delete(`/v1/hosts/${hostId}`).expect(204);
    await ada.delete(`/v1/tokens/${token.id}`).expect(204);
    await ada.delete('/v1/accounts/me').send({ name: ada.account.name }).expect(204);
  });

  it('delete the account where no other may do more', async () => {
    const volunteer = await aPerson(gleaner, { scopes: ['work'] });
    await volunteer.delete('/v1/accounts/me').send({ name: volunteer.account.name }).expect(204);
  });

  it('of others cannot be revoked, nor their existence found out', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const made = createdToken.parse((await ada.post('/v1/tokens', { label: 'a', scopes: ['work'] })).body);
    await eve.delete(`/v1/tokens/${made.token.id}`).expect(404);
    await eve.delete('/v1/tokens/999999999').expect(404);
    await clientWith(gleaner, made.secret).get('/v1/accounts/me').expect(200);
  });

  it('end when they expire', async () => {
    const ada = await aPerson(gleaner);
    await ada
      .post('/v1/tokens', { label: 'past', scopes: ['work'], expiresAt: '2001-01-01T00:00:00Z' })
      .expect(400);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const made = createdToken.parse(
      (await ada.post('/v1/tokens', { label: 'hour', scopes: ['work'], expiresAt })).body,
    );
    await gleaner.dataSource.query('UPDATE api_token SET expires_at = now() WHERE id = $1', [made.token.id]);
    await clientWith(gleaner, made.secret).get('/v1/accounts/me').expect(401);
  });

  it('end when they expire also where they have just been used', async () => {
    const ada = await aPerson(gleaner);
    /** How a token that has three seconds left is answered until it has ended. */
    const statusesToTheEnd = async (): Promise<number[]> => {
      const made = createdToken.parse(
        (await ada.post('/v1/tokens', { label: 'soon', scopes: ['work'] })).body,
      );
      await gleaner.dataSource.query(
        "UPDATE api_token SET expires_at = now() + interval '3 seconds' WHERE id = $1",
        [made.token.id],
      );
      const seen = new Set<number>();
      await expect
        .poll(async () => {
          const { status } = await clientWith(gleaner, made.secret).get('/v1/accounts/me');
          seen.add(status);
          return status;
        })
        .toBe(401);
      return [...seen];
    };
    // On a busy machine three seconds may be over before it is used at all.
    let statuses: number[] = [];
    while (!statuses.includes(200)) statuses = await statusesToTheEnd();
    expect(statuses).toEqual([200, 401]);
  });

  it.each([
    '',
    'Bearer',
    'Bearer nonsense',
    `Bearer gln_${'a'.repeat(43)}`,
    'Basic Z2xuOng=',
    'Bearer gln_a gln_b',
  ])('are refused when they are "%s"', async (header) => {
    const response = await gleaner.http.get('/v1/accounts/me').set('authorization', header).expect(401);
    expect(response.body).toMatchObject({ code: 'unauthorised' });
  });
});

describe('claiming anonymous work', () => {
  it('makes both accounts one person, tells the validator once, and can be repeated', async () => {
    const linked: string[][] = [];
    gleaner.app.get(AccountEvents).onLinked((_manager, ids) => {
      linked.push([...ids]);
      return Promise.resolve();
    });
    const ada = await aPerson(gleaner);
    const first = attachedHost.parse(
      (await gleaner.http.post('/v1/hosts').send({ host: facts }).expect(201)).body,
    );
    const second = attachedHost.parse(
      (await gleaner.http.post('/v1/hosts').send({ host: facts }).expect(201)).body,
    );
    expect(first.anonymous).toBe(true);
    await ada.post('/v1/accounts/me/claims', { secret: first.secret }).expect(200);
    await ada.post('/v1/accounts/me/claims', { secret: first.secret }).expect(200);
    await ada.post('/v1/accounts/me/claims', { secret: second.secret }).expect(200);
    const ids = [ada.account.id, first.accountId, second.accountId];
    expect(linked.map((group) => [...group].sort())).toEqual([ids.slice(0, 2).sort(), [...ids].sort()]);
    const persons: unknown = await gleaner.dataSource.query(
      'SELECT DISTINCT person_id FROM account WHERE id = ANY($1::bigint[])',
      [ids],
    );
    expect(persons).toEqual([{ person_id: ada.account.id }]);
  });

  it('gives the work to one of two who claim it, also at the same moment, and tells the other', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
      const shared = attachedHost.parse((await gleaner.http.post('/v1/hosts').send({ host: facts })).body);
      const claim = { secret: shared.secret };
      const answers = await Promise.all([
        ada.post('/v1/accounts/me/claims', claim),
        eve.post('/v1/accounts/me/claims', claim),
      ]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
      const [first, second] = answers[0].status === 200 ? [ada, eve] : [eve, ada];
      const refused = await second.post('/v1/accounts/me/claims', claim).expect(409);
      expect(refused.body).toMatchObject({ code: 'claimed-already', errors: [{ pointer: '/secret' }] });
      await first.post('/v1/accounts/me/claims', claim).expect(200);
      const persons: unknown[] = await gleaner.dataSource.query(
        'SELECT id, person_id FROM account WHERE id = ANY($1::bigint[]) ORDER BY id = $2, id = $3',
        [[first.account.id, second.account.id, shared.accountId], first.account.id, second.account.id],
      );
      expect(persons).toEqual([
        { id: shared.accountId, person_id: first.account.id },
        { id: second.account.id, person_id: null },
        { id: first.account.id, person_id: first.account.id },
      ]);
    }
  });

  it('refuses what is no anonymous token, and callers without an account', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const response = await ada.post('/v1/accounts/me/claims', { secret: eve.token }).expect(400);
    expect(response.body).toMatchObject({ errors: [{ pointer: '/secret' }] });
    const anonymous = attachedHost.parse((await gleaner.http.post('/v1/hosts').send({ host: facts })).body);
    const other = attachedHost.parse((await gleaner.http.post('/v1/hosts').send({ host: facts })).body);
    await clientWith(gleaner, anonymous.secret)
      .post('/v1/accounts/me/claims', { secret: other.secret })
      .expect(403);
    const hers = attachedHost.parse((await ada.post('/v1/hosts', { host: facts }).expect(201)).body);
    await clientWith(gleaner, hers.secret)
      .post('/v1/accounts/me/claims', { secret: other.secret })
      .expect(403);
  });
});

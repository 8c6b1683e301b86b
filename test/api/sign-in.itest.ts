import { account, createdToken, session, tokenPage } from '@gleaner/protocol';
import type supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApplication, operatorOf, type TestApplication } from '../support/index.js';
import { Outbox } from '../support/outbox.js';

const PASSWORD = 'correct horse battery';
let gleaner: TestApplication;
let outbox: Outbox;
let people = 0;

beforeAll(async () => {
  outbox = await Outbox.open();
  gleaner = await createTestApplication({
    env: { GLEANER_MAIL_COMMAND: outbox.command, GLEANER_SIGN_INS_PER_HOUR: '1000' },
  });
});
afterAll(async () => {
  await gleaner.close();
  await outbox[Symbol.asyncDispose]();
});

/** A request as a page of this site makes it. */
function fromPage(test: supertest.Test, cookie?: string): supertest.Test {
  const request = test.set('origin', gleaner.url).set('user-agent', 'Firefox/140.0 (Linux)');
  return cookie === undefined ? request : request.set('cookie', cookie);
}

function cookieOf(response: supertest.Response): string {
  return response.get('set-cookie')?.[0]?.split(';', 1)[0] ?? '';
}

async function signUp(facts: { name?: string; email?: string; password?: string } = {}) {
  const email = facts.email ?? `person${++people}@example.org`;
  const response = await fromPage(gleaner.http.post('/v1/session/sign-up')).send({
    name: 'Ada',
    password: PASSWORD,
    ...facts,
    email,
  });
  return { response, email, cookie: cookieOf(response) };
}

function signIn(email: string, password: string) {
  return fromPage(gleaner.http.post('/v1/session/sign-in')).send({ email, password });
}

async function whoIs(cookie: string) {
  return session.parse((await fromPage(gleaner.http.get('/v1/session'), cookie).expect(200)).body);
}

const WAITING =
  "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

/** The answer to a request that waits for a session to end when its connection to the database breaks. */
async function whileSessionsAreHeld(request: supertest.Test): Promise<supertest.Response> {
  const rival = gleaner.dataSource.createQueryRunner();
  try {
    await rival.startTransaction();
    await rival.query('SELECT FROM api_token WHERE session FOR UPDATE');
    const answer = (async () => await request)();
    await expect.poll(() => gleaner.dataSource.query(WAITING)).toHaveLength(1);
    await gleaner.dataSource.query(`SELECT pg_terminate_backend(pid) FROM (${WAITING}) waiting`);
    return await answer;
  } finally {
    await rival.rollbackTransaction();
    await rival.release();
  }
}

describe('signing up', () => {
  it('makes an account whose browser is signed in by a cookie that scripts cannot read', async () => {
    const { response, email, cookie } = await signUp({ name: 'Ada' });
    expect(response.status).toBe(201);
    expect(account.parse(response.body)).toMatchObject({ name: 'Ada', anonymous: false, operator: false });
    const [header = ''] = response.get('set-cookie') ?? [];
    expect(header).toMatch(/HttpOnly/);
    expect(header).toMatch(/SameSite=Lax/);
    expect(await whoIs(cookie)).toMatchObject({ email, account: { name: 'Ada' } });
    const tokens = tokenPage.parse((await fromPage(gleaner.http.get('/v1/tokens'), cookie).expect(200)).body);
    expect(tokens.items).toMatchObject([
      { label: 'Firefox on Linux', session: true, scopes: ['work', 'submit'] },
    ]);
  });

  it('keeps neither passwords nor sessions as they are', async () => {
    const { cookie } = await signUp();
    const rows = JSON.stringify(
      await gleaner.dataSource.query(
        `SELECT (SELECT json_agg(t) FROM api_token t) AS tokens, (SELECT json_agg(c) FROM identity_credential c) AS credentials,
                (SELECT count(*) FROM identity_session) AS sessions`,
      ),
    );
    expect(rows).not.toContain(PASSWORD);
    expect(rows).not.toContain(cookie.split('gln_')[1]);
    expect(rows).toContain('"sessions":"0"');
  });

  it('refuses an address that has an account, however it is written, also when two tabs do it at once', async () => {
    const { email } = await signUp();
    const again = await signUp({ email: email.toUpperCase() });
    expect(again.response.status).toBe(409);
    expect(again.response.body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/email' }] });
    const both = await Promise.all([
      signUp({ email: 'two@example.org' }),
      signUp({ email: 'two@example.org' }),
    ]);
    expect(both.map(({ response }) => response.status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  });

  it.each([
    ['a short password', { password: 'short' }, '/password'],
    ['a password of 10,000 characters', { password: 'x'.repeat(10_000) }, '/password'],
    ['a name of 10,000 characters', { name: 'x'.repeat(10_000) }, '/name'],
    ['an empty name', { name: '  ' }, '/name'],
    ['what is no address', { email: 'ada' }, '/email'],
    ['an address with a line break', { email: 'ada@example.org\nBcc: eve@example.org' }, '/email'],
  ])('refuses %s with a pointer', async (_case, facts, pointer) => {
    const { response } = await signUp(facts);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ errors: [{ pointer }] });
  });

  it.each(['<img src=x onerror=alert(1)>', '🌾🌾', 'متطوع', '‮evil'])(
    'takes the name %s as it is',
    async (name) => {
      const { response } = await signUp({ name });
      expect(account.parse(response.body).name).toBe(name);
    },
  );
});

describe('signing in and out', () => {
  it('needs the right password, and tells the same whichever is wrong', async () => {
    const { email } = await signUp();
    await signIn(email, PASSWORD).expect(200);
    const wrong = await signIn(email, 'wrong password').expect(401);
    const unknown = await signIn('nobody@example.org', PASSWORD).expect(401);
    expect(wrong.body).toMatchObject({ code: 'unauthorised' });
    expect({ ...wrong.body, instance: '' }).toEqual({ ...unknown.body, instance: '' });
  });

  it('ends the session everywhere at once', async () => {
    const { cookie } = await signUp();
    const out = await fromPage(gleaner.http.post('/v1/session/sign-out'), cookie).expect(204);
    expect(cookieOf(out)).toBe('gleaner_session=');
    expect(await whoIs(cookie)).toEqual({ account: null, email: null });
    await fromPage(gleaner.http.get('/v1/accounts/me'), cookie).expect(401);
    await fromPage(gleaner.http.post('/v1/session/sign-out'), cookie).expect(204);
  });

  it('exchanges a token for a session that may do what the token may', async () => {
    const response = await operatorOf(gleaner).post('/v1/session/token').expect(200);
    const cookie = cookieOf(response);
    await fromPage(gleaner.http.get('/v1/accounts'), cookie).expect(200);
    expect((await whoIs(cookie)).account).toMatchObject({ operator: true });
  });

  it('lets no other site use the session', async () => {
    const { cookie } = await signUp();
    const change = () => gleaner.http.patch('/v1/accounts/me').set('cookie', cookie).send({ name: 'Eve' });
    for (const origin of ['https://evil.example', 'null', `${gleaner.url}.evil.example`]) {
      await change().set('origin', origin).expect(403);
    }
    await change().expect(403);
    await change().set('origin', gleaner.url).expect(200);
  });

  it('counts guesses at one address, wherever they come from', async () => {
    const { email } = await signUp();
    const statuses: number[] = [];
    for (let guess = 0; guess < 21; guess += 1) statuses.push((await signIn(email, `guess ${guess}`)).status);
    expect(statuses.slice(0, 20).every((status) => status === 401)).toBe(true);
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('resetting a password', () => {
  it('mails a code that works once and ends all sessions', async () => {
    const { email, cookie } = await signUp();
    await fromPage(gleaner.http.post('/v1/session/password-reset')).send({ email }).expect(202);
    const code = await outbox.codeFor(email);
    const reset = (password: string) =>
      fromPage(gleaner.http.post('/v1/session/password')).send({ code, password });
    await reset('another good one').expect(204);
    expect((await whoIs(cookie)).account).toBeNull();
    await signIn(email, PASSWORD).expect(401);
    await signIn(email, 'another good one').expect(200);
    const again = await reset('a third good one').expect(400);
    expect(again.body).toMatchObject({ errors: [{ pointer: '/code' }] });
  });

  it('does not tell who has an account, and writes to nobody else', async () => {
    const { email } = await signUp();
    const forget = (address: string) =>
      fromPage(gleaner.http.post('/v1/session/password-reset')).send({ email: address }).expect(202);
    await forget('nobody@example.org');
    await fromPage(gleaner.http.post('/v1/session/password'))
      .send({ code: 'x', password: PASSWORD })
      .expect(400);
    // A mail to nobody would have been sent off before this one.
    await forget(email);
    await outbox.codeFor(email);
    expect(await outbox.messagesTo('nobody@example.org')).toEqual([]);
  });

  it('keeps no code that works in the database', async () => {
    const { email } = await signUp();
    await fromPage(gleaner.http.post('/v1/session/password-reset')).send({ email }).expect(202);
    const code = await outbox.codeFor(email);
    expect(
      JSON.stringify(await gleaner.dataSource.query('SELECT * FROM identity_verification')),
    ).not.toContain(code);
  });
});

describe('changing a password', () => {
  const change = (cookie: string, current: string, password: string) =>
    fromPage(gleaner.http.put('/v1/accounts/me/password'), cookie).send({ current, password });

  it('needs the one before, signs the other browsers out, and leaves this one and programs alone', async () => {
    const { email, cookie } = await signUp();
    const elsewhere = cookieOf(await signIn(email, PASSWORD).expect(200));
    const made = await fromPage(gleaner.http.post('/v1/tokens'), cookie)
      .send({ label: 'cli', scopes: ['work'] })
      .expect(201);
    const wrong = await change(cookie, 'not my password', 'another good one').expect(400);
    expect(wrong.body).toMatchObject({ errors: [{ pointer: '/current' }] });
    await signIn(email, PASSWORD).expect(200);
    await change(cookie, PASSWORD, 'short').expect(400);
    await change(cookie, PASSWORD, 'another good one').expect(204);
    expect((await whoIs(cookie)).account).not.toBeNull();
    expect((await whoIs(elsewhere)).account).toBeNull();
    const { secret } = createdToken.parse(made.body);
    await gleaner.http.get('/v1/accounts/me').set('authorization', `Bearer ${secret}`).expect(200);
    await signIn(email, PASSWORD).expect(401);
    await signIn(email, 'another good one').expect(200);
  });

  it('changes nothing where the other browsers cannot be signed out', async () => {
    const { email, cookie } = await signUp();
    const elsewhere = cookieOf(await signIn(email, PASSWORD).expect(200));
    // Known by now, so that the request waits for nothing else.
    expect((await whoIs(cookie)).email).toBe(email);
    const broken = await whileSessionsAreHeld(change(cookie, PASSWORD, 'another good one'));
    expect(broken.status).toBe(503);
    expect((await whoIs(elsewhere)).account).not.toBeNull();
    await signIn(email, 'another good one').expect(401);
    await change(cookie, PASSWORD, 'another good one').expect(204);
    expect((await whoIs(elsewhere)).account).toBeNull();
  });

  it('is not for who has none, nor for other sites, nor to be guessed at', async () => {
    const operator = operatorOf(gleaner);
    const none = await operator
      .put('/v1/accounts/me/password')
      .send({ current: 'x', password: PASSWORD })
      .expect(409);
    expect(none.body).toMatchObject({ code: 'wrong-state' });
    await gleaner.http.put('/v1/accounts/me/password').send({ current: 'x', password: PASSWORD }).expect(401);
    const { cookie } = await signUp();
    const abroad = gleaner.http
      .put('/v1/accounts/me/password')
      .set('origin', 'https://evil.example')
      .set('cookie', cookie);
    await abroad.send({ current: PASSWORD, password: 'another good one' }).expect(403);
    const statuses: number[] = [];
    for (let n = 0; n < 21; n += 1)
      statuses.push((await change(cookie, `guess ${n}`, 'another good one')).status);
    expect(statuses.slice(0, 20)).toEqual(statuses.slice(0, 20).map(() => 400));
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('changing an e-mail address', () => {
  const ask = (cookie: string, email: string, current = PASSWORD) =>
    fromPage(gleaner.http.post('/v1/accounts/me/email-change'), cookie).send({ current, email });
  const confirm = (cookie: string, code: string) =>
    fromPage(gleaner.http.put('/v1/accounts/me/email'), cookie).send({ code });

  it('happens when the code that went to the new one comes back, once, and tells the old one', async () => {
    const [{ email, cookie }, eve] = [await signUp(), await signUp()];
    const elsewhere = cookieOf(await signIn(email, PASSWORD).expect(200));
    const wanted = `New.${email}`;
    await ask(cookie, wanted, 'not my password').expect(400);
    await ask(cookie, wanted).expect(202);
    const code = await outbox.codeFor(wanted);
    expect((await whoIs(cookie)).email).toBe(email);
    await confirm(eve.cookie, 'x').expect(400);
    await confirm(cookie, code).expect(204);
    expect((await whoIs(cookie)).email).toBe(wanted.toLowerCase());
    expect((await whoIs(elsewhere)).account).toBeNull();
    await signIn(email, PASSWORD).expect(401);
    await signIn(wanted, PASSWORD).expect(200);
    await confirm(cookie, code).expect(400);
    await expect
      .poll(async () => await outbox.messagesTo(email))
      .toContainEqual(expect.stringContaining(wanted.toLowerCase()));
  });

  it('gives nobody the address of another, and uses up a code in the wrong hands', async () => {
    const [ada, eve] = [await signUp(), await signUp()];
    const taken = await ask(eve.cookie, ada.email.toUpperCase()).expect(409);
    expect(taken.body).toMatchObject({ errors: [{ pointer: '/email' }] });
    await ask(ada.cookie, 'ada-elsewhere@example.org').expect(202);
    const code = await outbox.codeFor('ada-elsewhere@example.org');
    await confirm(eve.cookie, code).expect(400);
    await confirm(ada.cookie, code).expect(400);
    // Somebody was faster.
    await ask(ada.cookie, 'contested@example.org').expect(202);
    const late = await outbox.codeFor('contested@example.org');
    await signUp({ email: 'contested@example.org' });
    await confirm(ada.cookie, late).expect(409);
    expect((await whoIs(ada.cookie)).email).toBe(ada.email);
  });

  it('is told when somebody takes that address at the same moment', async () => {
    const { email, cookie } = await signUp();
    await ask(cookie, 'taken@example.org').expect(202);
    const code = await outbox.codeFor('taken@example.org');
    const rival = gleaner.dataSource.createQueryRunner();
    try {
      await rival.startTransaction();
      await rival.query(
        "INSERT INTO identity_user (id, name, email, email_verified) VALUES ('rival', 'Eve', 'taken@example.org', false)",
      );
      const confirmed = (async () => await confirm(cookie, code))();
      await expect.poll(() => gleaner.dataSource.query(WAITING)).toHaveLength(1);
      await rival.commitTransaction();
      const answer = await confirmed;
      expect(answer.status).toBe(409);
      expect(answer.body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/email' }] });
    } finally {
      if (rival.isTransactionActive) await rival.rollbackTransaction();
      await rival.release();
    }
    expect((await whoIs(cookie)).email).toBe(email);
  });

  it('leaves nothing of who deletes the account meanwhile', async () => {
    const { cookie } = await signUp({ name: 'Brief' });
    await ask(cookie, 'brief@example.org').expect(202);
    await outbox.codeFor('brief@example.org');
    await fromPage(gleaner.http.delete('/v1/accounts/me'), cookie).send({ name: 'Brief' }).expect(204);
    const left = await gleaner.dataSource.query<unknown[]>('SELECT value FROM identity_verification');
    expect(JSON.stringify(left)).not.toContain('brief@example.org');
  });
});

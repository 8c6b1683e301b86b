import { account, tokenPage } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operatorOf } from '../support/index.js';
import { cookieOf, PASSWORD, SignInDesk } from './sign-in-desk.js';

let desk: SignInDesk;
beforeAll(async () => {
  desk = await SignInDesk.open();
});
afterAll(() => desk.close());

describe('signing up', () => {
  it('makes an account whose browser is signed in by a cookie that scripts cannot read', async () => {
    const { response, email, cookie } = await desk.signUp({ name: 'Ada' });
    expect(response.status).toBe(201);
    expect(account.parse(response.body)).toMatchObject({ name: 'Ada', anonymous: false, operator: false });
    const [header = ''] = response.get('set-cookie') ?? [];
    expect(header).toMatch(/HttpOnly/);
    expect(header).toMatch(/SameSite=Lax/);
    expect(await desk.whoIs(cookie)).toMatchObject({ email, account: { name: 'Ada' } });
    const tokens = tokenPage.parse(
      (await desk.fromPage(desk.gleaner.http.get('/v1/tokens'), cookie).expect(200)).body,
    );
    expect(tokens.items).toMatchObject([
      { label: 'Firefox on Linux', session: true, scopes: ['work', 'submit'] },
    ]);
  });

  it('keeps neither passwords nor sessions as they are', async () => {
    const { cookie } = await desk.signUp();
    const rows = JSON.stringify(
      await desk.gleaner.dataSource.query(
        `SELECT (SELECT json_agg(t) FROM api_token t) AS tokens, (SELECT json_agg(c) FROM identity_credential c) AS credentials,
                (SELECT count(*) FROM identity_session) AS sessions`,
      ),
    );
    expect(rows).not.toContain(PASSWORD);
    expect(rows).not.toContain(cookie.split('gln_')[1]);
    expect(rows).toContain('"sessions":"0"');
  });

  it('refuses an address that has an account, however it is written, also when two tabs do it at once', async () => {
    const { email } = await desk.signUp();
    const again = await desk.signUp({ email: email.toUpperCase() });
    expect(again.response.status).toBe(409);
    expect(again.response.body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/email' }] });
    const both = await Promise.all([
      desk.signUp({ email: 'two@example.org' }),
      desk.signUp({ email: 'two@example.org' }),
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
    const { response } = await desk.signUp(facts);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ errors: [{ pointer }] });
  });

  it.each(['<img src=x onerror=alert(1)>', '🌾🌾', 'متطوع', '‮evil'])(
    'takes the name %s as it is',
    async (name) => {
      const { response } = await desk.signUp({ name });
      expect(account.parse(response.body).name).toBe(name);
    },
  );
});

describe('signing in and out', () => {
  it('needs the right password, and tells the same whichever is wrong', async () => {
    const { email } = await desk.signUp();
    await desk.signIn(email, PASSWORD).expect(200);
    const wrong = await desk.signIn(email, 'wrong password').expect(401);
    const unknown = await desk.signIn('nobody@example.org', PASSWORD).expect(401);
    expect(wrong.body).toMatchObject({ code: 'unauthorised' });
    expect({ ...wrong.body, instance: '' }).toEqual({ ...unknown.body, instance: '' });
  });

  it('ends the session everywhere at once', async () => {
    const { cookie } = await desk.signUp();
    const out = await desk.fromPage(desk.gleaner.http.post('/v1/session/sign-out'), cookie).expect(204);
    expect(cookieOf(out)).toBe('gleaner_session=');
    expect(await desk.whoIs(cookie)).toEqual({ account: null, email: null });
    await desk.fromPage(desk.gleaner.http.get('/v1/accounts/me'), cookie).expect(401);
    await desk.fromPage(desk.gleaner.http.post('/v1/session/sign-out'), cookie).expect(204);
  });

  it('exchanges a token for a session that may do what the token may', async () => {
    const response = await operatorOf(desk.gleaner).post('/v1/session/token').expect(200);
    const cookie = cookieOf(response);
    await desk.fromPage(desk.gleaner.http.get('/v1/accounts'), cookie).expect(200);
    expect((await desk.whoIs(cookie)).account).toMatchObject({ operator: true });
  });

  it('lets no other site use the session', async () => {
    const { cookie } = await desk.signUp();
    const change = () =>
      desk.gleaner.http.patch('/v1/accounts/me').set('cookie', cookie).send({ name: 'Eve' });
    for (const origin of ['https://evil.example', 'null', `${desk.gleaner.url}.evil.example`]) {
      await change().set('origin', origin).expect(403);
    }
    await change().expect(403);
    await change().set('origin', desk.gleaner.url).expect(200);
  });

  it('counts guesses at one address, wherever they come from', async () => {
    const { email } = await desk.signUp();
    const statuses: number[] = [];
    for (let guess = 0; guess < 21; guess += 1)
      statuses.push((await desk.signIn(email, `guess ${guess}`)).status);
    expect(statuses.slice(0, 20).every((status) => status === 401)).toBe(true);
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('resetting a password', () => {
  it('mails a code that works once and ends all sessions', async () => {
    const { email, cookie } = await desk.signUp();
    await desk.fromPage(desk.gleaner.http.post('/v1/session/password-reset')).send({ email }).expect(202);
    const code = await desk.outbox.codeFor(email);
    const reset = (password: string) =>
      desk.fromPage(desk.gleaner.http.post('/v1/session/password')).send({ code, password });
    await reset('another good one').expect(204);
    expect((await desk.whoIs(cookie)).account).toBeNull();
    await desk.signIn(email, PASSWORD).expect(401);
    await desk.signIn(email, 'another good one').expect(200);
    const again = await reset('a third good one').expect(400);
    expect(again.body).toMatchObject({ errors: [{ pointer: '/code' }] });
  });

  it('does not tell who has an account, and writes to nobody else', async () => {
    const { email } = await desk.signUp();
    const forget = (address: string) =>
      desk
        .fromPage(desk.gleaner.http.post('/v1/session/password-reset'))
        .send({ email: address })
        .expect(202);
    await forget('nobody@example.org');
    await desk
      .fromPage(desk.gleaner.http.post('/v1/session/password'))
      .send({ code: 'x', password: PASSWORD })
      .expect(400);
    // A mail to nobody would have been sent off before this one.
    await forget(email);
    await desk.outbox.codeFor(email);
    expect(await desk.outbox.messagesTo('nobody@example.org')).toEqual([]);
  });

  it('is asked for a few times an hour, and locks nobody out in whose name it is', async () => {
    const { email } = await desk.signUp();
    const forget = async () =>
      (await desk.fromPage(desk.gleaner.http.post('/v1/session/password-reset')).send({ email })).status;
    for (let n = 0; n < 20; n += 1) expect(await forget()).toBe(202);
    expect(await forget()).toBe(429);
    await desk.signIn(email, PASSWORD).expect(200);
  });

  it('keeps no code that works in the database', async () => {
    const { email } = await desk.signUp();
    await desk.fromPage(desk.gleaner.http.post('/v1/session/password-reset')).send({ email }).expect(202);
    const code = await desk.outbox.codeFor(email);
    expect(
      JSON.stringify(await desk.gleaner.dataSource.query('SELECT * FROM identity_verification')),
    ).not.toContain(code);
  });
});

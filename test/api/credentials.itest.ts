import { createdToken } from '@gleaner/protocol';
import type supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operatorOf, Rival } from '../support/index.js';
import { cookieOf, PASSWORD, SignInDesk } from './sign-in-desk.js';

let desk: SignInDesk;
beforeAll(async () => {
  desk = await SignInDesk.open();
});
afterAll(() => desk.close());

/** Requests are sent off once somebody waits for them. */
const begun = async (request: supertest.Test): Promise<supertest.Response> => await request;

/** The answer to a request that waits for a session to end when its connection to the database breaks. */
async function whileSessionsAreHeld(request: supertest.Test): Promise<supertest.Response> {
  const { dataSource } = desk.gleaner;
  await using rival = await Rival.holding(dataSource, 'SELECT FROM api_token WHERE session FOR UPDATE');
  const answer = begun(request);
  await rival.breakWaiting();
  return await answer;
}

describe('changing a password', () => {
  const change = (cookie: string, current: string, password: string) =>
    desk.fromPage(desk.gleaner.http.put('/v1/accounts/me/password'), cookie).send({ current, password });

  it('needs the one before, signs the other browsers out, and leaves this one and programs alone', async () => {
    const { email, cookie } = await desk.signUp();
    const elsewhere = cookieOf(await desk.signIn(email, PASSWORD).expect(200));
    const made = await desk
      .fromPage(desk.gleaner.http.post('/v1/tokens'), cookie)
      .send({ label: 'cli', scopes: ['work'] })
      .expect(201);
    const wrong = await change(cookie, 'not my password', 'another good one').expect(400);
    expect(wrong.body).toMatchObject({ errors: [{ pointer: '/current' }] });
    await desk.signIn(email, PASSWORD).expect(200);
    await change(cookie, PASSWORD, 'short').expect(400);
    await change(cookie, PASSWORD, 'another good one').expect(204);
    expect((await desk.whoIs(cookie)).account).not.toBeNull();
    expect((await desk.whoIs(elsewhere)).account).toBeNull();
    const { secret } = createdToken.parse(made.body);
    await desk.gleaner.http.get('/v1/accounts/me').set('authorization', `Bearer ${secret}`).expect(200);
    await desk.signIn(email, PASSWORD).expect(401);
    await desk.signIn(email, 'another good one').expect(200);
  });

  it('changes nothing where the other browsers cannot be signed out', async () => {
    const { email, cookie } = await desk.signUp();
    const elsewhere = cookieOf(await desk.signIn(email, PASSWORD).expect(200));
    // Known by now, so that the request waits for nothing else.
    expect((await desk.whoIs(cookie)).email).toBe(email);
    const broken = await whileSessionsAreHeld(change(cookie, PASSWORD, 'another good one'));
    expect(broken.status).toBe(503);
    expect((await desk.whoIs(elsewhere)).account).not.toBeNull();
    await desk.signIn(email, 'another good one').expect(401);
    await change(cookie, PASSWORD, 'another good one').expect(204);
    expect((await desk.whoIs(elsewhere)).account).toBeNull();
  });

  it('is not for who has none, nor for other sites, nor to be guessed at', async () => {
    const operator = operatorOf(desk.gleaner);
    const none = await operator
      .put('/v1/accounts/me/password')
      .send({ current: 'x', password: PASSWORD })
      .expect(409);
    expect(none.body).toMatchObject({ code: 'wrong-state' });
    await desk.gleaner.http
      .put('/v1/accounts/me/password')
      .send({ current: 'x', password: PASSWORD })
      .expect(401);
    const { cookie } = await desk.signUp();
    const abroad = desk.gleaner.http
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

const resetCodeFor = async (email: string): Promise<string> => {
  await desk.fromPage(desk.gleaner.http.post('/v1/session/password-reset')).send({ email }).expect(202);
  return await desk.outbox.codeFor(email);
};
const reset = (code: string, password: string) =>
  desk.fromPage(desk.gleaner.http.post('/v1/session/password')).send({ code, password });

describe('codes that were mailed before', () => {
  const changePassword = (cookie: string) =>
    desk
      .fromPage(desk.gleaner.http.put('/v1/accounts/me/password'), cookie)
      .send({ current: PASSWORD, password: 'another good one' });
  const askForAddress = async (cookie: string, email: string): Promise<string> => {
    const wish = desk.fromPage(desk.gleaner.http.post('/v1/accounts/me/email-change'), cookie);
    await wish.send({ current: PASSWORD, email }).expect(202);
    return await desk.outbox.codeFor(email);
  };
  const useAddressCode = (token: string, code: string) =>
    desk.gleaner.http.put('/v1/accounts/me/email').set('authorization', `Bearer ${token}`).send({ code });

  it('set no other password once it was changed', async () => {
    const { email, cookie } = await desk.signUp();
    const code = await resetCodeFor(email);
    await changePassword(cookie).expect(204);
    await reset(code, 'a third good one').expect(400);
    await desk.signIn(email, 'another good one').expect(200);
  });

  it('set no other password once the address was changed', async () => {
    const { email, cookie } = await desk.signUp();
    const code = await resetCodeFor(email);
    const move = desk.fromPage(desk.gleaner.http.put('/v1/accounts/me/email'), cookie);
    await move.send({ code: await askForAddress(cookie, `moved.${email}`) }).expect(204);
    await reset(code, 'a third good one').expect(400);
    await desk.signIn(`moved.${email}`, PASSWORD).expect(200);
  });

  it('give the account no address of whoever knew the password before it was reset', async () => {
    const { email, cookie } = await desk.signUp();
    const made = await desk
      .fromPage(desk.gleaner.http.post('/v1/tokens'), cookie)
      .send({ label: 'what stays', scopes: ['work'] })
      .expect(201);
    const code = await askForAddress(cookie, `eve.${email}`);
    await reset(await resetCodeFor(email), 'another good one').expect(204);
    await useAddressCode(createdToken.parse(made.body).secret, code).expect(400);
    await desk.signIn(email, 'another good one').expect(200);
  });
});

describe('changing an e-mail address', () => {
  const ask = (cookie: string, email: string, current = PASSWORD) =>
    desk.fromPage(desk.gleaner.http.post('/v1/accounts/me/email-change'), cookie).send({ current, email });
  const confirm = (cookie: string, code: string) =>
    desk.fromPage(desk.gleaner.http.put('/v1/accounts/me/email'), cookie).send({ code });

  it('happens when the code that went to the new one comes back, once, and tells the old one', async () => {
    const [{ email, cookie }, eve] = [await desk.signUp(), await desk.signUp()];
    const elsewhere = cookieOf(await desk.signIn(email, PASSWORD).expect(200));
    const wanted = `New.${email}`;
    await ask(cookie, wanted, 'not my password').expect(400);
    await ask(cookie, wanted).expect(202);
    const code = await desk.outbox.codeFor(wanted);
    expect((await desk.whoIs(cookie)).email).toBe(email);
    await confirm(eve.cookie, 'x').expect(400);
    await confirm(cookie, code).expect(204);
    expect((await desk.whoIs(cookie)).email).toBe(wanted.toLowerCase());
    expect((await desk.whoIs(elsewhere)).account).toBeNull();
    await desk.signIn(email, PASSWORD).expect(401);
    await desk.signIn(wanted, PASSWORD).expect(200);
    await confirm(cookie, code).expect(400);
    await expect
      .poll(async () => await desk.outbox.messagesTo(email))
      .toContainEqual(expect.stringContaining(wanted.toLowerCase()));
  });

  it('gives nobody the address of another, and uses up a code in the wrong hands', async () => {
    const [ada, eve] = [await desk.signUp(), await desk.signUp()];
    const taken = await ask(eve.cookie, ada.email.toUpperCase()).expect(409);
    expect(taken.body).toMatchObject({ errors: [{ pointer: '/email' }] });
    await ask(ada.cookie, 'ada-elsewhere@example.org').expect(202);
    const code = await desk.outbox.codeFor('ada-elsewhere@example.org');
    await confirm(eve.cookie, code).expect(400);
    await confirm(ada.cookie, code).expect(400);
    // Somebody was faster.
    await ask(ada.cookie, 'contested@example.org').expect(202);
    const late = await desk.outbox.codeFor('contested@example.org');
    await desk.signUp({ email: 'contested@example.org' });
    await confirm(ada.cookie, late).expect(409);
    expect((await desk.whoIs(ada.cookie)).email).toBe(ada.email);
  });

  it('is told when somebody takes that address at the same moment', async () => {
    const { email, cookie } = await desk.signUp();
    await ask(cookie, 'taken@example.org').expect(202);
    const code = await desk.outbox.codeFor('taken@example.org');
    await using rival = await Rival.holding(
      desk.gleaner.dataSource,
      "INSERT INTO identity_user (id, name, email, email_verified) VALUES ('rival', 'Eve', 'taken@example.org', false)",
    );
    const confirmed = begun(confirm(cookie, code));
    await rival.isWaitedForBy(1);
    await rival.commit();
    const answer = await confirmed;
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/email' }] });
    expect((await desk.whoIs(cookie)).email).toBe(email);
  });

  it('leaves nothing of who deletes the account meanwhile', async () => {
    const { cookie } = await desk.signUp({ name: 'Brief' });
    await ask(cookie, 'brief@example.org').expect(202);
    await desk.outbox.codeFor('brief@example.org');
    await desk
      .fromPage(desk.gleaner.http.delete('/v1/accounts/me'), cookie)
      .send({ name: 'Brief' })
      .expect(204);
    const left = await desk.gleaner.dataSource.query<unknown[]>('SELECT value FROM identity_verification');
    expect(JSON.stringify(left)).not.toContain('brief@example.org');
  });
});

import { session, type Session } from '@gleaner/protocol';
import type supertest from 'supertest';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { Outbox } from '../support/outbox.js';

export const PASSWORD = 'correct horse battery';

export interface SignedUp {
  readonly response: supertest.Response;
  readonly email: string;
  readonly cookie: string;
}

/** A coordinator that sends mail, and people who sign up and in at its pages. */
export class SignInDesk {
  private people = 0;

  private constructor(
    readonly gleaner: TestApplication,
    readonly outbox: Outbox,
  ) {}

  static async open(): Promise<SignInDesk> {
    const outbox = await Outbox.open();
    const env = { GLEANER_MAIL_COMMAND: outbox.command, GLEANER_SIGN_INS_PER_HOUR: '1000' };
    return new SignInDesk(await createTestApplication({ env }), outbox);
  }

  async close(): Promise<void> {
    await this.gleaner.close();
    await this.outbox[Symbol.asyncDispose]();
  }

  /** A request as a page of this site makes it. */
  fromPage(test: supertest.Test, cookie?: string): supertest.Test {
    const request = test.set('origin', this.gleaner.url).set('user-agent', 'Firefox/140.0 (Linux)');
    return cookie === undefined ? request : request.set('cookie', cookie);
  }

  async signUp(facts: { name?: string; email?: string; password?: string } = {}): Promise<SignedUp> {
    const email = facts.email ?? `person${++this.people}@example.org`;
    const response = await this.fromPage(this.gleaner.http.post('/v1/session/sign-up')).send({
      name: 'Ada',
      password: PASSWORD,
      ...facts,
      email,
    });
    return { response, email, cookie: cookieOf(response) };
  }

  signIn(email: string, password: string): supertest.Test {
    return this.fromPage(this.gleaner.http.post('/v1/session/sign-in')).send({ email, password });
  }

  async whoIs(cookie: string): Promise<Session> {
    const answer = await this.fromPage(this.gleaner.http.get('/v1/session'), cookie).expect(200);
    return session.parse(answer.body);
  }
}

export function cookieOf(response: supertest.Response): string {
  return response.get('set-cookie')?.[0]?.split(';', 1)[0] ?? '';
}

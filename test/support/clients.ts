import { account, createdToken, project, type Account, type Scope } from '@gleaner/protocol';
import supertest from 'supertest';
import type { TestApplication } from './application.js';

export interface TestClient {
  readonly token: string;
  get(path: string): supertest.Test;
  post(path: string, body?: object): supertest.Test;
  put(path: string): supertest.Test;
  patch(path: string): supertest.Test;
  delete(path: string): supertest.Test;
  head(path: string): supertest.Test;
}

/** Requests with a token. */
export function clientWith(gleaner: TestApplication, token: string): TestClient {
  const authorise = (test: supertest.Test): supertest.Test => test.set('authorization', `Bearer ${token}`);
  return {
    token,
    get: (path) => authorise(gleaner.http.get(path)),
    post: (path, body) => {
      const test = authorise(gleaner.http.post(path));
      return body === undefined ? test : test.send(body);
    },
    put: (path) => authorise(gleaner.http.put(path)),
    patch: (path) => authorise(gleaner.http.patch(path)),
    delete: (path) => authorise(gleaner.http.delete(path)),
    head: (path) => authorise(gleaner.http.head(path)),
  };
}

export function operatorOf(gleaner: TestApplication): TestClient {
  return clientWith(gleaner, gleaner.operatorToken);
}

export interface TestPerson extends TestClient {
  readonly account: Account;
}

let people = 0;

/** A new account with a token of these scopes. */
export async function aPerson(
  gleaner: TestApplication,
  {
    name = `person ${++people}`,
    scopes = ['work', 'submit'],
  }: { name?: string; scopes?: readonly Scope[] } = {},
): Promise<TestPerson> {
  const operator = operatorOf(gleaner);
  const made = account.parse((await operator.post('/v1/accounts', { name }).expect(201)).body);
  const { secret } = createdToken.parse(
    (await operator.post(`/v1/accounts/${made.id}/tokens`, { label: name, scopes }).expect(201)).body,
  );
  return { ...clientWith(gleaner, secret), account: made };
}

let projects = 0;

/** An approved project with its scientist. */
export async function aProject(
  gleaner: TestApplication,
  { slug = `project-${++projects}`, approved = true }: { slug?: string; approved?: boolean } = {},
): Promise<{ slug: string; scientist: TestPerson }> {
  const operator = operatorOf(gleaner);
  const scientist = await aPerson(gleaner);
  const made = project.parse((await scientist.post('/v1/projects', { slug, name: slug }).expect(201)).body);
  if (approved) await operator.post(`/v1/projects/${made.slug}/approval`).expect(200);
  return { slug, scientist };
}

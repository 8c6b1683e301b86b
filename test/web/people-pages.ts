import { attachedHost, team } from '@gleaner/protocol';
import type { BrowserContext, Page } from 'playwright-core';
import { clientWith, operatorOf, type TestApplication, type TestPerson } from '../support/index.js';

interface NamedPage {
  readonly name: string;
  readonly path: string;
}

/** The sign-in page in each of its forms. */
export const SIGN_IN_PAGES: readonly NamedPage[] = [
  { name: 'sign-in', path: '/sign-in' },
  { name: 'sign-up', path: '/sign-in?mode=sign-up' },
  { name: 'forgot', path: '/sign-in?mode=forgot' },
  { name: 'reset', path: '/sign-in?mode=reset&code=abc' },
  { name: 'token', path: '/sign-in?mode=token' },
  { name: 'activate', path: '/activate?code=WDJB-MJHT' },
  { name: 'teams', path: '/teams' },
];

/** The pages of a person who has a machine and a team, called as they please. */
export async function pagesOfPerson(
  gleaner: TestApplication,
  token: string,
  name: string,
): Promise<readonly NamedPage[]> {
  const person = clientWith(gleaner, token);
  const host = { name, kind: 'agent', platform: 'linux-x64', cores: 8, memoryMiB: 16_384 };
  const { hostId } = attachedHost.parse((await person.post('/v1/hosts', { host }).expect(201)).body);
  await operatorOf(gleaner).put(`/v1/hosts/${hostId}/hold`).send({ reason: name }).expect(200);
  await person.post('/v1/projects', { slug: 'tides', name, description: name }).expect(201);
  const founded = await person.post('/v1/teams', { name, description: name }).expect(201);
  return [
    { name: 'own account', path: '/account' },
    { name: 'settings', path: '/account/settings' },
    { name: 'machine', path: `/account/machines/${hostId}` },
    { name: 'team', path: `/teams/${team.parse(founded.body).id}` },
    { name: 'activate, signed in', path: '/activate' },
    { name: 'operator, refused', path: '/operator' },
  ];
}

/** Lets the browser be signed in as whoever has the token. */
export async function signInWith(
  gleaner: TestApplication,
  context: BrowserContext,
  token: string,
): Promise<void> {
  const answer = await context.request.post(`${gleaner.url}/v1/session/token`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()}`);
}

/** As {@link signInWith}, for a page that is open at the site: it then knows whom it shows. */
export async function signInAs(
  gleaner: TestApplication,
  page: Page,
  { token, account }: TestPerson,
): Promise<void> {
  await signInWith(gleaner, page.context(), token);
  await page.evaluate((id) => localStorage.setItem('gleaner.session', id), account.id);
}

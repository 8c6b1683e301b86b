import { attachedHost, team } from '@gleaner/protocol';
import type { BrowserContext, Page } from 'playwright-core';
import { clientWith, operatorOf, type TestApplication, type TestPerson } from '../support/index.js';
import { heading, type NamedPage } from './pages.js';

export const TEAMS: NamedPage = {
  name: 'teams',
  path: '/teams',
  shows: (page) => [
    page
      .getByRole('list', { name: /^(Teams by credit|Newest teams)$/ })
      .or(page.getByText('There is no team yet'))
      .first(),
  ],
};

/** The sign-in page in each of its forms, and the pages that ask for signing in. */
export const SIGN_IN_PAGES: readonly NamedPage[] = [
  { name: 'sign-in', path: '/sign-in', shows: heading('Sign in') },
  { name: 'sign-up', path: '/sign-in?mode=sign-up', shows: heading('Create an account') },
  { name: 'forgot', path: '/sign-in?mode=forgot', shows: heading('Reset the password') },
  { name: 'reset', path: '/sign-in?mode=reset&code=abc', shows: heading('Set a new password') },
  { name: 'token', path: '/sign-in?mode=token', shows: heading('Sign in with a token') },
  {
    name: 'activate',
    path: '/activate?code=WDJB-MJHT',
    shows: (page) => [page.getByRole('link', { name: 'create an account' })],
  },
  TEAMS,
];

/** One's own account. */
export const ACCOUNT: NamedPage = {
  name: 'own account',
  path: '/account',
  shows: heading('My machines', 'My team'),
};

export const SETTINGS: NamedPage = {
  name: 'settings',
  path: '/account/settings',
  shows: (page) => [page.getByRole('button', { name: /^(Sign out|Revoke) / }).first()],
};

/** The operator's page, as the operator sees it. */
export const OPERATOR: NamedPage = {
  name: 'operator',
  path: '/operator',
  shows: (page) => [
    ...heading('Waiting for a decision', 'Server')(page),
    page.getByRole('list', { name: 'Audit log' }).getByRole('listitem').first(),
  ],
};

/** The team's page, for those who have signed in and for visitors. */
export function teamPage(id: string): NamedPage {
  return {
    name: 'team',
    path: `/teams/${id}`,
    shows: (page) => [
      page.getByText(/^(Leave the team|Join the team)$|to join this team/),
      page.getByText(/^joined /).first(),
    ],
  };
}

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
    ACCOUNT,
    SETTINGS,
    { name: 'machine', path: `/account/machines/${hostId}`, shows: heading('Its tasks') },
    teamPage(team.parse(founded.body).id),
    {
      name: 'activate, signed in',
      path: '/activate',
      shows: (page) => [page.getByRole('button', { name: 'Find the machine' })],
    },
    {
      name: 'operator, refused',
      path: '/operator',
      shows: (page) => [page.getByText('Only operators of this coordinator decide here')],
    },
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

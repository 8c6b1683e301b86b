import type { Locator, Page } from 'playwright-core';

/** A page of the site, and what shows that it has loaded. */
export interface NamedPage {
  readonly name: string;
  readonly path: string;
  /** One thing at least for each answer of the coordinator that the page shows. */
  readonly shows: (page: Page) => readonly Locator[];
}

type Shows = NamedPage['shows'];

export const heading =
  (...names: readonly string[]): Shows =>
  (page) =>
    names.map((name) => page.getByRole('heading', { name, exact: true }));

export const showsBoard: Shows = (page) => [
  page
    .getByRole('table', { name: /by validated cycles/ })
    .getByRole('rowheader')
    .or(page.getByText(/has earned credit here yet|^Nobody was found/))
    .first(),
];

const showsFront: Shows = (page) => [
  page.getByText('cycles/s'),
  page.getByRole('img', { name: /squares? of/ }).or(page.getByText('No public job runs')),
  page.getByRole('table', { name: 'The five accounts with most validated cycles' }),
];

const showsJobs: Shows = (page) => [page.getByRole('progressbar').first()];

/** The charts come at once: they are one module, loaded with the first. */
const showsCharts: Shows = (page) => [page.locator('canvas').first()];

/** Every page that a visitor may see, of an installation with a running job and credit. */
export function pagesOf(jobId: string): readonly NamedPage[] {
  return [
    { name: 'front', path: '/', shows: showsFront },
    { name: 'volunteer', path: '/volunteer', shows: heading('Given in this tab') },
    { name: 'jobs', path: '/jobs', shows: showsJobs },
    { name: 'job', path: `/jobs/${jobId}`, shows: heading('Who helped') },
    { name: 'leaderboards', path: '/leaderboards', shows: showsBoard },
    { name: 'machines', path: '/leaderboards?board=hosts', shows: showsBoard },
    { name: 'teams', path: '/leaderboards?board=teams', shows: showsBoard },
    { name: 'statistics', path: '/statistics', shows: showsCharts },
    { name: 'statistics-days', path: '/statistics?grain=day', shows: showsCharts },
    { name: 'week', path: '/leaderboards?period=week&q=a', shows: showsBoard },
    { name: 'account', path: '/account', shows: heading('Sign in') },
    { name: 'not-found', path: '/there/is/nothing', shows: heading('There is nothing here') },
  ];
}

export const THEMES = ['light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Opens an address in a theme and waits for the page's title; what else it shows may still be on its way. */
export async function openPage(page: Page, url: string, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** Opens a page of the site in a theme and waits until it has loaded. */
export async function openWhole(
  page: Page,
  siteUrl: string,
  { path, shows }: Pick<NamedPage, 'path' | 'shows'>,
  theme: Theme,
): Promise<void> {
  await openPage(page, siteUrl + path, theme);
  for (const shown of shows(page)) await shown.waitFor();
}

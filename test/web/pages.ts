import type { Page } from 'playwright-core';

/** Every page of the site, with what shows that it has loaded. */
export function pagesOf(jobId: string): ReadonlyArray<{ readonly name: string; readonly path: string }> {
  return [
    { name: 'front', path: '/' },
    { name: 'volunteer', path: '/volunteer' },
    { name: 'jobs', path: '/jobs' },
    { name: 'job', path: `/jobs/${jobId}` },
    { name: 'leaderboards', path: '/leaderboards' },
    { name: 'machines', path: '/leaderboards?board=hosts' },
    { name: 'teams', path: '/leaderboards?board=teams' },
    { name: 'statistics', path: '/statistics' },
    { name: 'statistics-days', path: '/statistics?grain=day' },
    { name: 'week', path: '/leaderboards?period=week&q=a' },
    { name: 'account', path: '/account' },
    { name: 'not-found', path: '/there/is/nothing' },
  ];
}

export const THEMES = ['light', 'dark'] as const;

/** Opens a page in a theme and waits until it shows its title and has what it asked for. */
export async function openPage(page: Page, url: string, theme: (typeof THEMES)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => undefined);
}

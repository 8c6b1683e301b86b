import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumOrWarn } from './browser.js';
import { Website } from './website.js';

const chromiumPath = chromiumOrWarn();

describe.skipIf(chromiumPath === null)('an address that somebody mistyped', () => {
  let website: Website;
  let page: Page;
  let url: string;

  beforeAll(async () => {
    website = await Website.open(chromiumPath);
    ({ page } = website);
    ({ url } = website.gleaner);
  });
  afterAll(() => website?.[Symbol.asyncDispose]());

  it.each(['/%', '/jobs/%', '/jobs/%E0%A4%A', '/jobs/x.txt', '/teams/7.html', '/notes.pdf', '/assets'])(
    '%s leads to the page that says so, with the ways to all others',
    async (path) => {
      await page.goto(url + path);
      await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Jobs' }).click();
      await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    },
  );

  it('is opened where it is a file’s', async () => {
    const answer = await website.gleaner.http.get('/mark.svg').set('accept', 'text/html,*/*').expect(200);
    expect(answer.headers['content-type']).toBe('image/svg+xml');
  });

  it('is no page for what a page loads, nor in the API', async () => {
    for (const [path, status, code] of [
      ['/robots.txt', 404, 'not-found'],
      ['/apple-touch-icon.png', 404, 'not-found'],
      ['/v1/jobs/%', 400, 'malformed-request'],
    ] as const) {
      const answer = await website.gleaner.http.get(path).set('accept', 'image/*,*/*').expect(status);
      expect(answer.body, path).toMatchObject({ code });
    }
  });
});

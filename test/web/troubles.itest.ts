import { BoardKeeper } from '@gleaner/coordinator';
import { team } from '@gleaner/protocol';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, type TestApplication, type TestPerson } from '../support/index.js';
import { buildWebsite, chromiumOrWarn, complaintsOf, openBrowser, setHidden } from './browser.js';
import { signInAs } from './people-pages.js';
import { aSetiJob, type SetiJob } from './seti-job.js';

const chromiumPath = chromiumOrWarn();
/** Browsers keep so many connections to a site on plain http. */
const CONNECTIONS = 6;
/** A name of the coordinator in a local network, where pages have neither locks nor digests nor a clipboard. */
const LAN_NAME = 'gleaner.lan';
const AWAY = 'The coordinator does not answer.';

describe.skipIf(chromiumPath === null)('a page, when not everything goes well', () => {
  let gleaner: TestApplication;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let job: SetiJob;
  let ada: TestPerson;

  beforeAll(async () => {
    buildWebsite();
    gleaner = await createTestApplication({
      env: { GLEANER_ALLOW_SAME_NETWORK: '1', GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE: '10000' },
    });
    browser = await openBrowser(chromiumPath ?? '', [`--host-resolver-rules=MAP ${LAN_NAME} 127.0.0.1`]);
    context = await browser.newContext();
    page = await context.newPage();
    job = await aSetiJob(gleaner, { name: 'A night at Arecibo', units: 40, unitChirps: 2 });
    ada = await aPerson(gleaner, { name: 'Ada' });
    await gleaner.dataSource.query(
      'INSERT INTO account_credit (account_id, cycles, tasks) VALUES ($1, 1000, 3)',
      [ada.account.id],
    );
    await gleaner.app.get(BoardKeeper).reconcile();
    await page.goto(gleaner.url);
    await signInAs(gleaner, page, ada);
  });
  afterAll(async () => {
    await browser?.close();
    await gleaner?.close();
  });

  it('lets the keyboard skip what every page begins with', async () => {
    await page.goto(`${gleaner.url}/jobs`);
    await page.getByRole('link', { name: 'A night at Arecibo' }).waitFor();
    await page.keyboard.press('Tab');
    await page.getByRole('link', { name: 'Skip to the content' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.getByRole('link', { name: 'A night at Arecibo' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'A night at Arecibo' }).waitFor();
  });

  it('is named in the tab, and the keyboard goes on where the page begins', async () => {
    await page.goto(`${gleaner.url}/leaderboards`);
    await expect.poll(() => page.title()).toBe('Leaderboards · Gleaner');
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByRole('link', { name: 'A night at Arecibo' }).click();
    await expect.poll(() => page.title()).toBe('A night at Arecibo · Gleaner');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('content');
    await page.getByRole('link', { name: 'Gleaner', exact: true }).click();
    await expect.poll(() => page.title()).toBe('Gleaner');
  });

  it('keeps what it shows, and says that it waits, after too many requests', async () => {
    await page.goto(`${gleaner.url}/leaderboards`);
    await page.getByRole('row', { name: 'Ada' }).waitFor();
    await page.route('**/v1/boards/**', (route) =>
      route.fulfill({ status: 429, headers: { 'retry-after': '1' }, json: { detail: 'too many' } }),
    );
    await page.getByText('too many requests from your network').waitFor();
    await page.getByRole('row', { name: 'Ada' }).waitFor();
    await page.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await page.unroute('**/v1/boards/**');
    let isRefusing = true;
    await page.route('**/v1/public/jobs/*', (route) =>
      isRefusing
        ? route.fulfill({ status: 429, headers: { 'retry-after': '1' }, json: {} })
        : route.continue(),
    );
    await page.reload();
    await page.getByText('too many requests from your network').waitFor();
    isRefusing = false;
    await page.getByRole('heading', { name: 'A night at Arecibo' }).waitFor();
    expect(await page.getByRole('heading', { name: 'There is nothing here' }).count()).toBe(0);
    await page.unroute('**/v1/public/jobs/*');
  });

  it('says that the coordinator is away until it is back, and keeps what is one’s own', async () => {
    await page.goto(`${gleaner.url}/leaderboards`);
    await page.getByRole('row', { name: 'Ada you' }).waitFor();
    await page.route('**/v1/**', (route) => route.abort('connectionrefused'));
    await page.getByText(AWAY).waitFor();
    // One's own row is asked for apart: what it does not get must not look like an answer.
    for (let asked = 0; asked < 2; asked += 1) {
      await page.waitForEvent('requestfailed', (request) => request.url().includes('/rows/'));
    }
    expect(await page.getByText(AWAY).isVisible()).toBe(true);
    expect(await page.getByRole('row', { name: 'Ada you' }).isVisible()).toBe(true);
    await page.unroute('**/v1/**');
    await page.getByText(AWAY).waitFor({ state: 'hidden' });
  });

  it.each([
    ['/jobs', 'the jobs', ['/v1/public/jobs']],
    ['/leaderboards', 'the board', ['/v1/boards/']],
    ['/teams', 'the teams', ['/v1/boards/', '/v1/teams']],
  ])('says at %s that %s could not be loaded and why, and tries again', async (path, what, parts) => {
    const refused: string[] = [];
    const hasClicked = () => page.evaluate(() => 'hasClicked' in window).catch(() => false);
    await page.route(/\/v1\/(public|boards|teams)/, async (route) => {
      // The page asks again by itself as well, and would have no button any more.
      if (await hasClicked()) return await route.continue();
      await route.fulfill({ status: 500, json: { code: 'internal', detail: 'Something broke here.' } });
      refused.push(route.request().url());
    });
    await page.goto(`${gleaner.url}${path}`);
    await page.getByText(`Gleaner could not load ${what}.`).waitFor();
    await page.getByRole('alert').filter({ hasText: 'Something broke here.' }).waitFor();
    // All of what the page is made of: one click has all of it loaded.
    await expect.poll(() => parts.filter((part) => refused.every((url) => !url.includes(part)))).toEqual([]);
    await page.evaluate(() =>
      addEventListener('click', () => Object.assign(window, { hasClicked: true }), { capture: true }),
    );
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Gleaner could not load').waitFor({ state: 'detached' });
    await page.unrouteAll({ behavior: 'wait' });
  });

  it('goes on to a page that could not be loaded while the coordinator was away, and loses nothing', async () => {
    await page.goto(`${gleaner.url}/jobs`);
    await page.getByRole('link', { name: 'A night at Arecibo' }).waitFor();
    await page.evaluate(() => Object.assign(window, { isStillHere: true }));
    const away = /\/(v1|assets)\//;
    await page.route(away, (route) => route.abort('connectionrefused'));
    await page.getByRole('link', { name: 'Statistics' }).first().click();
    await page.getByRole('status').filter({ hasText: AWAY }).waitFor();
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    await page.unroute(away);
    await page.getByRole('heading', { name: 'Statistics' }).waitFor();
    await page.locator('canvas').first().waitFor();
    await page.getByRole('status').filter({ hasText: AWAY }).waitFor({ state: 'detached' });
    expect(await page.evaluate(() => 'isStillHere' in window)).toBe(true);
  });

  it('follows a job again after its stream broke for good', async () => {
    let isAway = false;
    let streams = 0;
    await page.route('**/v1/public/jobs/**', async (route) => {
      if (!route.request().url().endsWith('/events')) {
        return await (isAway ? route.abort('connectionrefused') : route.continue());
      }
      streams += 1;
      // Browsers never ask again after this.
      if (streams === 1) {
        isAway = true;
        return await route.fulfill({ status: 503 });
      }
      return await route.continue();
    });
    await page.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await page.getByText(AWAY).waitFor();
    isAway = false;
    await page.getByText(AWAY).waitFor({ state: 'hidden' });
    await expect.poll(() => streams).toBe(2);
    await job.scientist.post(`/v1/jobs/${job.jobId}/pause`).expect(200);
    await page.getByText('Paused', { exact: true }).waitFor();
    await job.scientist.post(`/v1/jobs/${job.jobId}/resume`).expect(200);
    await page.getByText('Computing', { exact: true }).waitFor();
    await page.unroute('**/v1/public/jobs/**');
  });

  it('leaves connections to others while its tab is hidden', async () => {
    const tabs: Page[] = [];
    for (let tab = 0; tab <= CONNECTIONS; tab += 1) {
      const opened = await context.newPage();
      tabs.push(opened);
      await opened.goto(`${gleaner.url}/jobs/${job.jobId}`);
      await opened.getByRole('heading', { name: 'A night at Arecibo' }).waitFor();
      // A browser without a screen shows every tab at once.
      await setHidden(opened, true);
    }
    const [first] = tabs;
    await job.scientist.post(`/v1/jobs/${job.jobId}/pause`).expect(200);
    await setHidden(first!, false);
    await first!.getByText('Paused', { exact: true }).waitFor();
    await job.scientist.post(`/v1/jobs/${job.jobId}/resume`).expect(200);
    for (const tab of tabs) await tab.close();
  });

  it('shows how lists go on while one looks: of jobs, and of a team’s members', async () => {
    const teams = await context.newPage();
    const founded = await ada.post('/v1/teams', { name: 'Night Owls', description: '' }).expect(201);
    const { id } = team.parse(founded.body);
    await teams.goto(`${gleaner.url}/teams/${id}`);
    await teams.getByRole('listitem').filter({ hasText: 'Ada' }).waitFor();
    await page.goto(`${gleaner.url}/jobs`);
    await page.getByText('Computing', { exact: true }).waitFor();
    const grace = await aPerson(gleaner, { name: 'Grace' });
    await grace.put(`/v1/teams/${id}/members/me`).expect(200);
    await job.scientist.post(`/v1/jobs/${job.jobId}/pause`).expect(200);
    await page.getByText('Paused', { exact: true }).waitFor();
    await teams.getByRole('listitem').filter({ hasText: 'Grace' }).waitFor();
    await job.scientist.post(`/v1/jobs/${job.jobId}/resume`).expect(200);
    await teams.close();
  });

  it('tells how long ago something was, also while nothing else on the page changes', async () => {
    const open = await context.newPage();
    await open.clock.install();
    await open.goto(`${gleaner.url}/account/settings`);
    await open
      .getByText(/made (just now|\d+ s ago|\d min ago)/)
      .first()
      .waitFor();
    await open.clock.fastForward('50:00');
    await open
      .getByText(/made 5\d min ago/)
      .first()
      .waitFor();
    await open.close();
  });

  it('offers to sign in where something may be one’s own', async () => {
    await job.scientist.put(`/v1/jobs/${job.jobId}/visibility`).send({ public: false }).expect(204);
    const visitor = await browser.newPage();
    await visitor.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await visitor.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    await visitor.getByRole('link', { name: 'Sign in' }).click();
    await visitor.waitForURL((url) => url.searchParams.get('next') === `/jobs/${job.jobId}`);
    await visitor.close();
    await job.scientist.put(`/v1/jobs/${job.jobId}/visibility`).send({ public: true }).expect(204);
  });

  it('does not look signed out while the session goes on', async () => {
    await page.goto(`${gleaner.url}/account`);
    await page.getByRole('heading', { name: 'Ada' }).waitFor();
    await page.route('**/v1/session/sign-out', (route) => route.abort('connectionrefused'));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('heading', { name: 'Ada' }).waitFor();
    await page.unroute('**/v1/session/sign-out');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('is there for whoever has the browser keep nothing that sites store', async () => {
    const guarded = await browser.newContext();
    await guarded.addInitScript(() => {
      const refuse = (): never => {
        throw new DOMException('Access is denied for this document.', 'SecurityError');
      };
      Object.defineProperty(window, 'localStorage', { get: refuse });
    });
    const here = await guarded.newPage();
    const complaints = complaintsOf(here);
    await here.goto(gleaner.url);
    await here.getByRole('button', { name: 'Use the dark theme' }).click();
    await here.getByRole('button', { name: 'Use the light theme' }).waitFor();
    await here.getByRole('link', { name: 'Volunteer', exact: true }).click();
    await here.getByRole('slider', { name: 'Time of a core' }).fill('100');
    await here.getByRole('button', { name: 'Start computing' }).click();
    await here.getByText(/^You compute without a name, as machine/).waitFor();
    expect(complaints).toEqual([]);
    await guarded.close();
  });

  it('works on plain http in a local network: signs in, and computes in one tab at a time', async () => {
    const lan = await browser.newContext();
    const here = await lan.newPage();
    const complaints = complaintsOf(here);
    const url = `http://${LAN_NAME}:${gleaner.coordinator.port}`;
    await here.goto(`${url}/sign-in?mode=token`);
    expect(await here.evaluate(() => [isSecureContext, 'locks' in navigator])).toEqual([false, false]);
    await here.getByLabel('API token').fill(ada.token);
    await here.getByRole('button', { name: 'Sign in' }).click();
    await here.getByRole('heading', { name: 'Ada' }).waitFor();
    await here.getByRole('link', { name: 'Volunteer', exact: true }).click();
    await here.getByRole('button', { name: 'Start computing' }).click();
    const cycles = here.getByLabel('Cycles computed in this tab');
    await expect.poll(() => cycles.innerText(), { timeout: 60_000 }).not.toBe('0 cycles');
    const other = await lan.newPage();
    await other.goto(`${url}/volunteer`);
    await other.getByRole('button', { name: 'Start computing' }).click();
    await other.getByText('Another tab of this browser volunteers already.').waitFor();
    // As when one goes on to another site, and may come back by the browser's button.
    await here.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    await here.getByRole('button', { name: 'Start computing' }).waitFor();
    await other.getByRole('button', { name: 'Start computing' }).click();
    await other.getByRole('button', { name: 'Stop' }).waitFor();
    expect(complaints).toEqual([]);
    await lan.close();
  });
});

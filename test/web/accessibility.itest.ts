import { BlobsService, BoardKeeper } from '@gleaner/coordinator';
import { deviceCode } from '@gleaner/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aPerson, createTestApplication, operatorOf, type TestApplication } from '../support/index.js';
import { buildWebsite, chromiumOrWarn, openBrowser } from './browser.js';
import { openPage, openWhole, pagesOf, showsBoard, THEMES, type NamedPage } from './pages.js';
import {
  ACCOUNT,
  OPERATOR,
  pagesOfPerson,
  SETTINGS,
  SIGN_IN_PAGES,
  signInAs,
  signInWith,
  TEAMS,
} from './people-pages.js';
import { aSetiJob, type SetiJob } from './seti-job.js';
import { violationsOf } from './violations.js';

const chromiumPath = chromiumOrWarn();
const PHONE = { width: 360, height: 740 };
/** A phone of old, or a desktop's screen at 400 %. */
const NARROW = { width: 320, height: 640 };
/** An override that is never taken back turns around everything after it, unless it is kept apart. */
const JOB_NAME = 'night \u202e tape <b>17</b>';
const AGENT = { name: 'Mill', kind: 'agent', cores: 4, memoryMiB: 8192, platform: 'linux-x64' };
const SIGNALS = Array.from(
  { length: 30 },
  (_, index) =>
    `{"type":"spike","power":${23 + index},"fft_len":131072,"chirp_ix":${index},"chirp":5.29,"bin":${index},"freq":1418918910.1,"sec":6.71,"detection_freq":${1418918946 + index}}\n`,
).join('');

describe.skipIf(chromiumPath === null)('every page', () => {
  let gleaner: TestApplication;
  let browser: Browser;
  let job: SetiJob;
  let jobId: string;
  let token: string;
  let ownPages: Awaited<ReturnType<typeof pagesOfPerson>>;

  beforeAll(async () => {
    buildWebsite();
    gleaner = await createTestApplication();
    browser = await openBrowser(chromiumPath ?? '');
    job = await aSetiJob(gleaner, { name: JOB_NAME, units: 40, unitChirps: 2 });
    ({ jobId } = job);
    await nameScience();
    // Names are others' to choose: markup, emoji, right-to-left text and no spaces at all.
    for (const [index, name] of [
      '<img src=x onerror=alert(1)>',
      '🌾🌾🌾',
      'متطوع',
      'n'.repeat(80),
    ].entries()) {
      const { account, token: secret } = await aPerson(gleaner, { name });
      token = secret;
      await gleaner.dataSource.query(
        'INSERT INTO account_credit (account_id, cycles, tasks) VALUES ($1, $2, 3)',
        [account.id, String(10n ** BigInt(12 + 3 * index))],
      );
    }
    ownPages = await pagesOfPerson(gleaner, token, 'n'.repeat(80));
    await gleaner.app.get(BoardKeeper).reconcile();
  });
  afterAll(async () => {
    await browser?.close();
    await gleaner?.close();
  });

  it.each(THEMES)('has nothing that axe objects to, in the %s theme', async (theme) => {
    const page = await browser.newPage();
    for (const named of [...pagesOf(jobId), ...SIGN_IN_PAGES]) {
      await openWhole(page, gleaner.url, named, theme);
      expect(await violationsOf(page), `${named.name}, ${theme}`).toEqual([]);
    }
    await page.close();
  });

  it.each(THEMES)('nor anything on the pages of people and operators, in the %s theme', async (theme) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await signInWith(gleaner, context, token);
    for (const named of ownPages) {
      await openWhole(page, gleaner.url, named, theme);
      expect(await violationsOf(page), `${named.name}, ${theme}`).toEqual([]);
    }
    await signInWith(gleaner, context, gleaner.operatorToken);
    await page.evaluate(() => localStorage.clear());
    await openWhole(page, gleaner.url, OPERATOR, theme);
    await page.getByText('Pause all work').click();
    expect(await violationsOf(page), `operator, ${theme}`).toEqual([]);
    await context.close();
  });

  it.each(THEMES)('nor anything in what opens, fails or computes, in the %s theme', async (theme) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const expectNothing = async (state: string): Promise<void> => {
      expect(await violationsOf(page), `${state}, ${theme}`).toEqual([]);
    };
    await page.goto(gleaner.url);
    await signInAs(gleaner, page, job.scientist);
    await openPage(page, `${gleaner.url}/jobs/${jobId}`, theme);
    await page.getByText('Unit 3').click();
    await page.getByRole('heading', { name: 'Who may see it' }).waitFor();
    await page.getByRole('img', { name: 'Waterfall of 30 signals' }).waitFor();
    await expectNothing('own job with failures, files and candidates');

    await openPage(page, `${gleaner.url}/account/settings`, theme);
    await page.getByRole('button', { name: 'Delete my account' }).click();
    await page.getByText('Make a token').click();
    await page.getByLabel('What it is for').fill(theme);
    await page.getByRole('button', { name: 'Make the token' }).click();
    await page.getByLabel('New token').waitFor();
    await expectNothing('settings with a new token and a deletion');

    await openPage(page, `${gleaner.url}/volunteer`, theme);
    await page.getByRole('button', { name: 'Start computing' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await expectNothing('volunteering');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Start computing' }).waitFor();

    const { userCode } = deviceCode.parse(
      (await gleaner.http.post('/v1/device/code').send({ host: AGENT }).expect(201)).body,
    );
    await openPage(page, `${gleaner.url}/activate?code=${userCode}`, theme);
    await page.getByRole('heading', { name: AGENT.name }).waitFor();
    await expectNothing('a machine that waits');

    await context.clearCookies();
    await page.evaluate(() => localStorage.clear());
    await signInWith(gleaner, context, token);
    await openWhole(page, gleaner.url, ACCOUNT, theme);
    await openPage(page, `${gleaner.url}/leaderboards?q=متطوع`, theme);
    await page.getByRole('table', { name: 'Your place' }).waitFor();
    await page.getByRole('row', { name: 'متطوع' }).waitFor();
    await expectNothing('one’s own row above those that were looked for');

    await openWhole(page, gleaner.url, { path: '/leaderboards', shows: showsBoard }, theme);
    await page.route('**/v1/**', (route) => route.abort('connectionrefused'));
    await page.getByText('The coordinator does not answer.').waitFor();
    await expectNothing('the coordinator away');
    await context.close();
  });

  it.each(THEMES)(
    'nor anything where teams are found, founded, left and joined, in the %s theme',
    async (theme) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const expectNothing = async (state: string): Promise<void> => {
        expect(await violationsOf(page), `${state}, ${theme}`).toEqual([]);
      };
      const person = await aPerson(gleaner, { name: `founder, ${theme}` });
      await page.goto(gleaner.url);
      await signInAs(gleaner, page, person);
      await openPage(page, `${gleaner.url}/teams`, theme);
      await page.getByLabel('Name of a team', { exact: true }).fill('nobody is called so');
      await page.getByRole('button', { name: 'Find' }).click();
      await page.getByText('No team was found').waitFor();
      await expectNothing('no team found');
      await page.getByLabel('Name of the team').fill(`Owls, ${theme}`);
      await page.getByRole('button', { name: 'Found the team' }).click();
      await page.getByRole('button', { name: 'Leave the team' }).waitFor();
      await page.getByRole('heading', { name: 'Keep the team' }).waitFor();
      await expectNothing('a team that was founded');
      await page.getByRole('button', { name: 'Leave the team' }).click();
      await page.getByText('Everybody has left.').waitFor();
      await expectNothing('a team that everybody has left');
      await page.getByRole('button', { name: 'Join the team' }).click();
      await page.getByRole('listitem').filter({ hasText: person.account.name }).waitFor();
      await expectNothing('a team that was joined');
      await page.getByRole('main').getByRole('link', { name: 'Teams' }).click();
      await page.getByLabel('Name of a team', { exact: true }).fill('owls');
      await page.getByRole('button', { name: 'Find' }).click();
      await page
        .getByRole('list', { name: 'Teams found' })
        .getByRole('link', { name: `Owls, ${theme}` })
        .waitFor();
      await page.getByText('You are in').waitFor();
      await expectNothing('teams found');
      await context.close();
    },
  );

  it.each(THEMES)(
    'nor anything on the page of the API, which fits a phone, in the %s theme',
    async (theme) => {
      const page = await browser.newPage({ viewport: PHONE });
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await page.goto(`${gleaner.url}/v1/docs`);
      await page.getByRole('heading', { name: 'leaderboards' }).waitFor();
      expect(await violationsOf(page), `documentation, ${theme}`).toEqual([]);
      await page.evaluate(() => {
        for (const closed of document.querySelectorAll('details')) closed.open = true;
      });
      await page.getByRole('heading', { name: 'Example' }).first().waitFor();
      expect(await violationsOf(page), `documentation, opened, ${theme}`).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
        PHONE.width,
      );
      await page.close();
    },
  );

  it('fits a phone without scrolling sideways, whatever people are called', async () => {
    const page = await browser.newPage({ viewport: PHONE });
    const expectToFit = async (pages: readonly NamedPage[]) => {
      for (const named of pages) {
        await openWhole(page, gleaner.url, named, 'light');
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width, named.name).toBeLessThanOrEqual(PHONE.width);
      }
    };
    await expectToFit([...pagesOf(jobId), ...SIGN_IN_PAGES]);
    await signInWith(gleaner, page.context(), token);
    const isTold = (page: Page) => [page.getByText(/^You are in/)];
    await expectToFit([...ownPages, { ...TEAMS, name: 'teams, of a member', shows: isTold }]);
    const email = `${'m'.repeat(60)}@example.org`;
    await page.request.post(`${gleaner.url}/v1/session/sign-up`, {
      headers: { origin: gleaner.url },
      data: { name: 'Ada', email, password: 'correct horse' },
    });
    await page.evaluate(() => localStorage.clear());
    await page.goto(`${gleaner.url}/sign-in`);
    await page.waitForURL(`${gleaner.url}/account`);
    await expectToFit([{ ...SETTINGS, shows: () => [page.getByText(email).first()] }]);
    await signInWith(gleaner, page.context(), gleaner.operatorToken);
    await page.evaluate(() => localStorage.clear());
    await expectToFit([OPERATOR]);
    await page.close();
  });

  it('fits the narrowest screen with every page’s link in sight, and with the longest word in what a tab is told', async () => {
    const page = await browser.newPage({ viewport: NARROW });
    await page.goto(`${gleaner.url}/volunteer`);
    for (const name of ['Volunteer', 'Jobs', 'Leaderboards', 'My account']) {
      const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name });
      const { x = 0, width = 0 } = (await link.boundingBox()) ?? {};
      expect(x + width, name).toBeLessThanOrEqual(NARROW.width);
    }
    const reason = 'W'.repeat(300);
    const dispatch = operatorOf(gleaner);
    await dispatch.put('/v1/operator/dispatch-pause').send({ reason }).expect(200);
    await page.getByRole('button', { name: 'Start computing' }).click();
    await page.getByRole('status').filter({ hasText: reason }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(NARROW.width);
    await page.getByRole('button', { name: 'Stop' }).click();
    await dispatch.delete('/v1/operator/dispatch-pause').expect(204);
    await page.close();
  });

  it('answers forged ids with a page that says there is nothing', async () => {
    const page = await browser.newPage();
    const stranger = await aPerson(gleaner);
    await page.goto(gleaner.url);
    await signInAs(gleaner, page, stranger);
    const machine = ownPages.find(({ name }) => name === 'machine')?.path ?? '';
    const forged = ['0', '999999999', '%2e%2e%2fv1', '1%20OR%201=1'].flatMap((id) =>
      ['jobs', 'teams', 'account/machines'].map((path) => `/${path}/${id}`),
    );
    for (const path of [...forged, machine]) {
      await page.goto(gleaner.url + path);
      await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    }
    await page.goto(`${gleaner.url}/leaderboards?board=teapots&page=-1&period=x`);
    await page.getByRole('table', { name: 'People by validated cycles: All time' }).waitFor();
    await page.goto(`${gleaner.url}/sign-in?next=//evil.example`);
    await page.waitForURL(`${gleaner.url}/account`);
    await page.goto(`${gleaner.url}/activate?code=%3Cimg%3E`);
    await page.getByRole('alert').waitFor();
    await page.close();
  });

  /** A job that has failed units and an answer, of a project and a person who are called as they please. */
  async function nameScience(): Promise<void> {
    const { sha256 } = await gleaner.app
      .get(BlobsService)
      .storeBytes(Buffer.from(SIGNALS), { accountId: null });
    await vi.waitFor(
      async () => expect(await gleaner.dataSource.query('SELECT id FROM work_unit')).toHaveLength(40),
      { timeout: 60_000 },
    );
    for (const [sql, ...parameters] of [
      [`UPDATE project SET name = $1, description = $1`, 'مشروع \u202e <i>'],
      [`UPDATE account SET name = $1 WHERE id = $2`, '\u202eعالمة 🌾', job.scientist.account.id],
      [`UPDATE work_unit SET state = 'failed', failure = $1 WHERE index_in_job = 3`, '\u202e it trapped'],
      [
        `INSERT INTO job_tally (job_id, units_failed) VALUES ($1, 1) ON CONFLICT (job_id) DO UPDATE SET units_failed = 1`,
        jobId,
      ],
      [`UPDATE job SET output_sha256 = $1 WHERE id = $2`, Buffer.from(sha256, 'hex'), jobId],
    ] as const) {
      await gleaner.dataSource.query(sql, [...parameters]);
    }
  }
});

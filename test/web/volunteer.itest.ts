import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPage, job as jobSchema, leaderboard, publicJobView } from '@gleaner/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aVolunteer, type Volunteer } from '../e2e/volunteering/volunteer.js';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';
import { buildWebsite, chromiumOrWarn, complaintsOf, openBrowser, setHidden } from './browser.js';
import { aSetiJob, type SetiJob } from './seti-job.js';

const chromiumPath = chromiumOrWarn();

describe.skipIf(chromiumPath === null)('volunteering in a browser tab', () => {
  let gleaner: TestApplication;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let job: SetiJob;
  let directory: string;
  let agent: Volunteer;

  beforeAll(async () => {
    buildWebsite();
    gleaner = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
    directory = await mkdtemp(join(tmpdir(), 'gleaner-web-'));
    browser = await openBrowser(chromiumPath ?? '');
    const context = await browser.newContext();
    await context.addInitScript(installBattery);
    page = await context.newPage();
    complaints = complaintsOf(page);
    job = await aSetiJob(gleaner, { name: 'A night at Arecibo', units: 3, unitChirps: 2 });
  });
  afterAll(async () => {
    await agent?.[Symbol.asyncDispose]();
    await browser?.close();
    await gleaner?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('starts nothing without a click', async () => {
    await page.goto(`${gleaner.url}/volunteer`);
    await page.getByRole('button', { name: 'Start computing' }).waitFor();
    expect(await hosts()).toBe(0);
    // There is no picture yet whose axes could be told.
    expect(await page.getByText('newest on top').count()).toBe(0);
  });

  it('says where its commands come from, and at what hours of a core are reckoned', async () => {
    await page.goto(gleaner.url);
    await page.getByText('Core-hours, about, at 10 billion cycles a second').waitFor();
    expect(await page.getByText('npm run -s gleaner --').count()).toBe(2);
    await page.goto(`${gleaner.url}/volunteer`);
  });

  it('computes a real unit, whose spectra it shows, until an agent agrees and the credit is on the leaderboard', async () => {
    await page.getByText('One core, half the time').waitFor();
    await page.getByRole('button', { name: 'Start computing' }).click();
    const cycles = page.getByLabel('Cycles computed in this tab');
    await expect.poll(() => cycles.innerText(), { timeout: 60_000 }).not.toMatch(/^0\b/);
    await page.getByRole('slider', { name: 'Time of a core' }).fill('100');
    const waterfall = page.getByRole('img', { name: 'Waterfall' });
    await expect
      .poll(async () => Number(await waterfall.getAttribute('data-rows')), { timeout: 60_000 })
      .toBeGreaterThan(0);
    await page.getByText('newest on top').waitFor();

    const follower = await aFollower();
    agent = await aVolunteer(gleaner, { name: 'Ada', directory });
    await expect.poll(validUnits, { timeout: 100_000, interval: 250 }).toBe(3);
    await follower.getByText('Completed').waitFor();
    await follower.getByRole('img', { name: '3 squares of 1 unit: 3 valid' }).waitFor();
    await follower.getByText('3 of 3').waitFor();
    await follower.context().close();
    const rows = leaderboard.parse(
      (await gleaner.http.get('/v1/leaderboards/accounts').expect(200)).body,
    ).items;
    expect(rows.map(({ name }) => name).sort()).toEqual(['Ada', 'anonymous browser']);
    expect(rows[0]?.credit).toBe(rows[1]?.credit);

    await page.getByRole('link', { name: 'Leaderboards' }).click();
    await page.getByRole('row', { name: 'anonymous browser' }).waitFor();
    expect(complaints).toEqual([]);
  }, 600_000);

  it('computes in one tab at a time, and says so in the other', async () => {
    const second = await page.context().newPage();
    await second.goto(`${gleaner.url}/volunteer`);
    await second.getByRole('button', { name: 'Start computing' }).click();
    await second.getByText('Another tab of this browser volunteers already.').waitFor();
    await second.close();
    expect(await hosts()).toBe(2);
  });

  it('rests while its tab is hidden or the computer runs on battery, unless it is asked not to', async () => {
    await page.getByRole('link', { name: 'Volunteer', exact: true }).click();
    const hidden = page.getByText('Paused while this tab is hidden.');
    await setHidden(page, true);
    await hidden.waitFor();
    await page.getByLabel('Go on while this tab is hidden').check();
    await hidden.waitFor({ state: 'detached' });
    await page.getByLabel('Go on while this tab is hidden').uncheck();
    await hidden.waitFor();
    await setHidden(page, false);
    await hidden.waitFor({ state: 'detached' });

    const onBattery = page.getByText('Paused while the computer runs on battery.');
    await setCharging(false);
    await onBattery.waitFor();
    await page.getByLabel('Go on while on battery').check();
    await onBattery.waitFor({ state: 'detached' });
    await page.getByLabel('Go on while on battery').uncheck();
    await onBattery.waitFor();
    await setCharging(true);
    await onBattery.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Leaderboards' }).click();
    await page.getByRole('row', { name: 'anonymous browser' }).waitFor();
  });

  it('says that the coordinator is away, and goes on when it is back', async () => {
    await page.route('**/v1/**', (route) => route.abort('connectionrefused'));
    await page.getByText('The coordinator does not answer.').waitFor();
    await page.unroute('**/v1/**');
    await page.getByText('The coordinator does not answer.').waitFor({ state: 'hidden' });
    // What the browser itself says of refused connections.
    complaints.splice(0);
  });

  it('shows the finished job with its units and who helped', async () => {
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByRole('link', { name: 'A night at Arecibo' }).click();
    await page.getByText('Completed').waitFor();
    await page.getByRole('img', { name: '3 squares of 1 unit: 3 valid' }).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'anonymous browser' }).waitFor();
  });

  it('gives the work to the person who signs in and claims it', async () => {
    const person = await aPerson(gleaner, { name: 'Vera', scopes: ['work'] });
    await page.getByRole('link', { name: 'My account' }).click();
    await page.getByRole('link', { name: 'Use an API token' }).click();
    await page.getByLabel('API token').fill(person.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Vera' }).waitFor();
    await page.getByRole('button', { name: 'Claim this work' }).click();
    await page.getByText('Claimed: it is your work now.').waitFor();
    await page.getByRole('link', { name: 'Volunteer', exact: true }).click();
    await page.getByText('The credit goes to your account').waitFor();
    const standings = async (): Promise<Array<readonly [name: string, credit: string]>> => {
      const response = await gleaner.http.get('/v1/leaderboards/accounts').expect(200);
      return leaderboard.parse(response.body).items.map(({ name, credit }) => [name, credit] as const);
    };
    await expect
      .poll(async () => (await standings()).map(([name]) => name).toSorted())
      .toEqual(['Ada', 'Vera']);
    const [first, second] = await standings();
    expect(first?.[1]).toBe(second?.[1]);
    await page.getByRole('link', { name: 'Leaderboards' }).click();
    await page.getByRole('row', { name: 'Vera' }).waitFor();
    await page.getByRole('row', { name: 'anonymous browser' }).waitFor({ state: 'detached' });
    const [machine] = hostPage.parse((await person.get('/v1/hosts').expect(200)).body).items;
    expect(machine).toMatchObject({ kind: 'browser', credit: first?.[1] });
  });

  it('counts on where it was stopped, and started again', async () => {
    await page.getByRole('link', { name: 'Volunteer', exact: true }).click();
    const given = (): Promise<string[]> =>
      page.locator('section').filter({ hasText: 'Given in this tab' }).locator('data, dd').allInnerTexts();
    const before = await given();
    expect(before.slice(1)).toEqual(['3', '3']);
    await restart();
    expect(await given()).toEqual(before);
  });

  it('rests where its owner asks for it from afar, whose page offers nothing that a tab does not follow', async () => {
    const account = await page.context().newPage();
    await account.goto(`${gleaner.url}/account`);
    await account.getByRole('link', { name: 'browser', exact: true }).click();
    await account.getByText('is set in the browser itself').waitFor();
    await account.getByRole('radio', { name: /^Pause/ }).click();
    await expect.poll(() => hostsAskedTo('pause')).toBe(1);
    await restart();
    await page.getByText('Paused, as you asked from afar.').waitFor();
    await account.getByRole('radio', { name: /^Run/ }).click();
    await expect.poll(() => hostsAskedTo('run')).toBe(1);
    await account.close();
    await restart();
    await page.getByText('Paused, as you asked from afar.').waitFor({ state: 'detached' });
  });

  it('leads to the job that it computes, also where another one has its name', async () => {
    const computed = await submitLongUnits();
    await restart();
    const link = page.getByRole('link', { name: 'A night at Arecibo' });
    await expect
      .poll(() => link.getAttribute('href', { timeout: 60_000 }), { timeout: 60_000 })
      .toBe(`/jobs/${computed}`);
    const namesake = await submitLongUnits();
    await page.waitForResponse(
      async (response) =>
        response.url().includes('/v1/public/jobs?') && (await response.text()).includes(`"id":"${namesake}"`),
    );
    expect(await link.getAttribute('href')).toBe(`/jobs/${computed}`);
  });

  it('gives back what it held when the tab is closed', async () => {
    await expect.poll(leases, { timeout: 60_000 }).toBeGreaterThan(0);
    await page.close({ runBeforeUnload: false });
    await expect.poll(browserLeases, { timeout: 60_000, interval: 100 }).toBe(0);
  });

  async function setCharging(isCharging: boolean): Promise<void> {
    await page.evaluate((charging) => {
      const battery = Reflect.get(globalThis, 'batteryOfTheTest') as EventTarget;
      Object.assign(battery, { charging });
      battery.dispatchEvent(new Event('chargingchange'));
    }, isCharging);
  }

  /** Somebody who looks at the job before it is done, and never asks for anything but its events again. */
  async function aFollower(): Promise<Page> {
    const follower = await (await browser.newContext()).newPage();
    await follower.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await follower.getByText('Computing', { exact: true }).waitFor();
    await follower.route(`**/v1/public/jobs/${job.jobId}`, (route) => route.abort());
    return follower;
  }

  /** Units that take long, so that one is in hand when the tab is closed. */
  async function submitLongUnits(): Promise<string> {
    await agent[Symbol.asyncDispose]();
    const { spec } = await specOf(job.jobId);
    const longer = { ...spec, split: [{ kind: 'range', name: 'chirp', from: 0, to: 4000, step: 2000 }] };
    const answer = await job.scientist.post('/v1/jobs', { project: job.project, spec: longer }).expect(202);
    return jobSchema.parse(answer.body).id;
  }

  async function restart(): Promise<void> {
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Start computing' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await page.getByText(/^(Waiting|Working|Paused)/).waitFor();
  }

  async function specOf(jobId: string): Promise<{ spec: Record<string, unknown> }> {
    const answer = await job.scientist.get(`/v1/jobs/${jobId}`).expect(200);
    return z.object({ spec: z.record(z.string(), z.unknown()) }).parse(answer.body);
  }

  async function validUnits(): Promise<number> {
    const answer = await gleaner.http.get(`/v1/public/jobs/${job.jobId}`).expect(200);
    return publicJobView.parse(answer.body).job.units.valid;
  }

  async function count(sql: string): Promise<number> {
    const [row] = z.array(z.object({ n: z.coerce.number() })).parse(await gleaner.dataSource.query(sql));
    return row?.n ?? 0;
  }
  const hosts = (): Promise<number> => count('SELECT count(*) AS n FROM host');
  const hostsAskedTo = (run: string): Promise<number> =>
    count(`SELECT count(*) AS n FROM host WHERE kind = 'browser' AND wished_run = '${run}'`);
  const leases = (): Promise<number> => count('SELECT count(*) AS n FROM lease');
  const browserLeases = (): Promise<number> =>
    count(`SELECT count(*) AS n FROM lease l JOIN host h ON h.id = l.host_id WHERE h.kind = 'browser'`);
});

/** Runs in the page, before its scripts: a battery that is charged until the test says otherwise. */
function installBattery(): void {
  const battery = Object.assign(new EventTarget(), { charging: true });
  Object.assign(globalThis, { batteryOfTheTest: battery });
  Object.defineProperty(navigator, 'getBattery', { value: () => Promise.resolve(battery) });
}

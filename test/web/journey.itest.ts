import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess } from '../e2e/agent-support/agent-process.js';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { buildWebsite, chromiumOrWarn, complaintsOf, openBrowser } from './browser.js';
import { aSetiJob } from './seti-job.js';

const chromiumPath = chromiumOrWarn();
/** Whose row is on a board has all that it says: with more, a board might show the first unit's cycles alone. */
const UNITS = 1;
/** What the browser itself says where somebody looks at a job as if it might be theirs. */
const NOT_HERS = /status of 404/;
/** What a volunteer is promised on a machine that has a core to spare. */
const PROMISED_MS = 10_000;
/** What also holds where twenty programs want each core. */
const FIRST_CYCLE_WITHIN_MS = 90_000;
/** For whatever is waited for, and for all of it. */
const STEP_MS = 120_000;
const JOURNEY_MS = 420_000;

describe.skipIf(chromiumPath === null)('from signing up to leaving for good', () => {
  let gleaner: TestApplication;
  let browser: Browser;
  /** Of the agent. */
  let data: string;
  const complaints: string[][] = [];

  beforeAll(async () => {
    buildWebsite();
    data = await mkdtemp(join(tmpdir(), 'gleaner-journey-'));
    gleaner = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
    browser = await openBrowser(chromiumPath ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await gleaner?.close();
    await rm(data, { recursive: true, force: true });
  });

  it(
    'one goes by what the pages say alone',
    async () => {
      await aSetiJob(gleaner, { name: 'A night at Arecibo', units: UNITS, unitChirps: 2 });

      // Ada signs up on the way to approving her agent by its code.
      const ada = await aBrowser();
      await signUpAndApprove(ada, 'Mill');

      // Vera's browser has never been here: one click, and it computes.
      const vera = await aBrowser();
      await vera.goto(gleaner.url);
      await vera.getByRole('link', { name: 'Volunteer', exact: true }).click();
      const waitedMs = await startComputing(vera);
      process.stderr.write(`click to the first cycle: ${Math.round(waitedMs)} ms (aim: ${PROMISED_MS})\n`);
      expect(waitedMs).toBeLessThan(FIRST_CYCLE_WITHIN_MS);
      await vera.getByRole('slider', { name: 'Time of a core' }).fill('100');

      // Ada looks at the job, and sees it finish: nothing is loaded again.
      await ada.getByRole('link', { name: 'Jobs', exact: true }).click();
      await ada.getByRole('link', { name: 'A night at Arecibo' }).click();
      await ada.getByText('Computing', { exact: true }).waitFor();
      await using _ = new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data]);
      await ada.getByText('Completed', { exact: true }).waitFor();
      await ada.getByRole('img', { name: '1 square of 1 unit: 1 valid' }).waitFor();
      const helpers = ada.getByRole('listitem');
      await helpers.filter({ hasText: 'anonymous browser' }).waitFor();
      await helpers.filter({ hasText: 'Ada' }).waitFor();

      // What both computed stands on the leaderboard.
      await vera.getByRole('link', { name: 'Leaderboards', exact: true }).click();
      const board = vera.getByRole('table', { name: 'People by validated cycles: All time' });
      const cyclesOf = async (name: string): Promise<string> =>
        await board.getByRole('row').filter({ hasText: name }).getByRole('cell').nth(1).innerText();
      await board.getByRole('row').filter({ hasText: 'Ada' }).waitFor();
      await board.getByRole('row').filter({ hasText: 'anonymous browser' }).waitFor();
      const cycles = await cyclesOf('anonymous browser');
      expect(cycles).toBe(await cyclesOf('Ada'));

      // The work gets a name.
      await vera.getByRole('link', { name: 'Volunteer', exact: true }).click();
      await vera.getByRole('button', { name: 'Stop' }).click();
      await vera.getByRole('button', { name: 'Start computing' }).waitFor();
      await vera.getByRole('link', { name: 'Sign in to claim it' }).click();
      await vera.getByRole('link', { name: 'create an account' }).click();
      await fillSignUp(vera, 'Vera');
      await vera.getByRole('heading', { name: 'Vera' }).waitFor();
      await vera.getByRole('button', { name: 'Claim this work' }).click();
      await vera.getByText('Claimed: it is your work now.').waitFor();
      await vera.getByRole('link', { name: 'Leaderboards', exact: true }).click();
      await board.getByRole('row').filter({ hasText: 'Vera' }).waitFor();
      await board.getByRole('row').filter({ hasText: 'anonymous browser' }).waitFor({ state: 'detached' });
      expect(await cyclesOf('Vera')).toBe(cycles);

      // She leaves, and the ledger stays true.
      await vera.getByRole('link', { name: 'My account' }).click();
      await vera.getByRole('link', { name: 'Name, password, tokens, and deleting the account' }).click();
      await vera.getByRole('button', { name: 'Delete my account' }).click();
      await vera.getByLabel('Your name, to be sure').fill('Vera');
      await vera.getByRole('button', { name: 'Delete for good' }).click();
      await vera.waitForURL(`${gleaner.url}/`);
      await vera.getByRole('link', { name: 'Leaderboards', exact: true }).click();
      await board.getByRole('row').filter({ hasText: 'deleted volunteer' }).waitFor();
      expect(await cyclesOf('deleted volunteer')).toBe(cycles);
      expect(complaints.flat().filter((complaint) => !NOT_HERS.test(complaint))).toEqual([]);
    },
    JOURNEY_MS,
  );

  /** Somebody's, who has never used it for this. */
  async function aBrowser(): Promise<Page> {
    const context: BrowserContext = await browser.newContext();
    context.setDefaultTimeout(STEP_MS);
    const page = await context.newPage();
    complaints.push(complaintsOf(page));
    return page;
  }

  async function signUpAndApprove(page: Page, machine: string): Promise<void> {
    await using agent = new AgentProcess([
      'attach',
      gleaner.url,
      '--name',
      machine,
      '--data',
      data,
      '--json',
    ]);
    await page.goto(`${gleaner.url}/activate`);
    await page.getByRole('link', { name: 'create an account' }).click();
    await fillSignUp(page, 'Ada');
    await page.getByLabel('Code').fill(await waitingCode());
    await page.getByRole('button', { name: 'Find the machine' }).click();
    await page.getByRole('heading', { name: machine }).waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page
      .getByRole('status')
      .filter({ hasText: `${machine} is one of your machines now.` })
      .waitFor();
    expect((await agent.ended).code).toBe(0);
  }

  async function fillSignUp(page: Page, name: string): Promise<void> {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('E-mail address').fill(`${name.toLowerCase()}@example.org`);
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Create the account' }).click();
  }

  /** From the very first click of this browser to the first sign of work, in milliseconds. */
  async function startComputing(page: Page): Promise<number> {
    const cycles = page.getByLabel('Cycles computed in this tab');
    const before = await cycles.innerText();
    const start = page.getByRole('button', { name: 'Start computing' });
    await start.waitFor();
    const clickedMs = performance.now();
    await start.click();
    await expect.poll(() => cycles.innerText(), { timeout: STEP_MS, interval: 50 }).not.toBe(before);
    return performance.now() - clickedMs;
  }

  /** What the agent shows on its terminal. */
  async function waitingCode(): Promise<string> {
    let waiting: Array<{ user_code: string }> = [];
    await expect
      .poll(
        async () => {
          waiting = await gleaner.dataSource.query('SELECT user_code FROM device_code');
          return waiting.length;
        },
        { timeout: STEP_MS },
      )
      .toBe(1);
    return waiting[0]?.user_code ?? '';
  }
});

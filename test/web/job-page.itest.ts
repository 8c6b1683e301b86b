import { readFile } from 'node:fs/promises';
import { BlobsService } from '@gleaner/coordinator';
import { job as jobSchema, publicJobView } from '@gleaner/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { aPerson, operatorOf, type TestApplication } from '../support/index.js';
import { chromiumOrWarn } from './browser.js';
import { signInAs, signInWith } from './people-pages.js';
import { aSetiJob, type SetiJob } from './seti-job.js';
import { Website } from './website.js';

const chromiumPath = chromiumOrWarn();
const SIGNALS = [
  '{"type":"spike","power":23.7865,"fft_len":131072,"chirp_ix":2862,"chirp":5.290463,"bin":9,"freq":1418918910.1,"sec":6.71,"detection_freq":1418918946.4924}',
  '{"type":"spike","power":22.4,"fft_len":65536,"chirp_ix":2862,"chirp":5.290463,"bin":5,"freq":1418918910.1,"sec":20.1,"detection_freq":1418919020.1}',
];
/** Of a program that a scientist debugs: it may print what it likes. */
const STDERR = 'panicked at <b>src/main.rs</b>:7 \u202e';
/** An answer of another app. */
const OTHER = '521 prime\n'.repeat(10_000);

describe.skipIf(chromiumPath === null)('the page of a job', () => {
  let site: Website;
  let gleaner: TestApplication;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let job: SetiJob;

  beforeAll(async () => {
    site = await Website.open(chromiumPath);
    ({ gleaner, browser, page, complaints } = site);
    job = await aSetiJob(gleaner, { name: 'A night at Arecibo', units: 4, unitChirps: 2 });
    await vi.waitFor(async () => expect(await query('SELECT id FROM work_unit')).toHaveLength(4), {
      timeout: 60_000,
    });
    // As if three units were done, and one program had said why not.
    await job.scientist.post(`/v1/jobs/${job.jobId}/pause`).expect(200);
    await query(
      `UPDATE work_unit SET state = 'failed', failure = '2 volunteers saw it trap: unreachable' WHERE index_in_job = 3`,
    );
    await query(
      `INSERT INTO task (unit_id, ordinal, account_id, host_id, distinct_key, state, counts, credit_eligible, anonymous, outcome, cycles, stderr)
       SELECT id, 0, 1, 1, 1, 'valid', true, true, false, 'trap', 1000, $1 FROM work_unit WHERE index_in_job = 3`,
      [STDERR],
    );
    await query(
      `INSERT INTO job_tally (job_id, units_valid, units_failed) VALUES ($1, 3, 1)
       ON CONFLICT (job_id) DO UPDATE SET units_valid = 3, units_failed = 1`,
      [job.jobId],
    );
  });
  afterAll(() => site?.[Symbol.asyncDispose]());

  const query = (sql: string, parameters: unknown[] = []): Promise<unknown[]> =>
    gleaner.dataSource.query<unknown[]>(sql, parameters);

  it('shows strangers neither failures nor files', async () => {
    await page.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await page.getByRole('heading', { name: 'A night at Arecibo' }).waitFor();
    await page.getByRole('img', { name: /^4 squares of 1 unit/ }).waitFor();
    expect(await page.getByRole('heading', { name: 'Files' }).count()).toBe(0);
    expect(await page.getByRole('heading', { name: 'What failed' }).count()).toBe(0);
  });

  it('tells its scientist what failed and why, and its files with their sizes', async () => {
    await signIn();
    await page.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await page.getByText('Unit 3').click();
    await page.getByText('2 volunteers saw it trap: unreachable').waitFor();
    await page.getByText('trap', { exact: true }).waitFor();
    expect(await page.getByLabel('Standard error of unit 3').innerText()).toBe(STDERR);
    // Another one fails while they read.
    await query(
      `UPDATE work_unit SET state = 'failed', failure = 'a division by zero' WHERE index_in_job = 2`,
    );
    await query('UPDATE job_tally SET units_valid = 2, units_failed = 2 WHERE job_id = $1', [job.jobId]);
    await page.getByText('a division by zero').waitFor();
    await page.getByText('2 volunteers saw it trap: unreachable').first().waitFor();
    const files = page.getByRole('listitem').filter({ hasText: 'tape' });
    await files.getByText(/input, 3\d\d kB/).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download tape' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('tape');
    expect(await download.failure()).toBeNull();
  });

  it('is hidden and shown by a switch', async () => {
    const shown = page.getByRole('switch', { name: 'Show this page to everybody' });
    await shown.click();
    await expect.poll(status).toBe(404);
    await page.getByText('private').waitFor();
    await shown.click();
    await expect.poll(status).toBe(200);
  });

  it('tells a colleague who decides, and offers no switch that is not theirs', async () => {
    const colleague = await aPerson(gleaner, { name: 'Grace' });
    await operatorOf(gleaner)
      .post(`/v1/projects/${job.project}/scientists`, { accountId: colleague.account.id })
      .expect(204);
    const context = await browser.newContext();
    const theirs = await context.newPage();
    await theirs.goto(gleaner.url);
    await signInAs(gleaner, theirs, colleague);
    await theirs.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await theirs.getByRole('heading', { name: 'Files' }).waitFor();
    await theirs.getByText(`That is for its scientist, ${job.scientist.account.name}, to decide.`).waitFor();
    expect(await theirs.getByRole('switch').count()).toBe(0);
    await theirs.getByRole('listitem').filter({ hasText: 'of whoever uploaded it' }).waitFor();
    expect(await theirs.getByRole('link', { name: 'Download tape' }).count()).toBe(0);
    await context.clearCookies();
    await signInWith(gleaner, context, gleaner.operatorToken);
    await theirs.evaluate(() => localStorage.clear());
    await theirs.goto(`${gleaner.url}/sign-in`);
    await theirs.getByRole('link', { name: 'Operate this coordinator' }).waitFor();
    await theirs.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await theirs.getByRole('switch', { name: 'Show this page to everybody' }).waitFor();
    await context.close();
  });

  it('promises nothing of a job that was cancelled', async () => {
    const { spec } = z
      .object({ spec: z.record(z.string(), z.unknown()) })
      .parse((await job.scientist.get(`/v1/jobs/${job.jobId}`).expect(200)).body);
    const answer = await job.scientist
      .post('/v1/jobs', { project: job.project, spec: { ...spec, name: 'Given up' } })
      .expect(202);
    const { id } = jobSchema.parse(answer.body);
    await job.scientist.post(`/v1/jobs/${id}/cancel`).expect(200);
    await page.goto(`${gleaner.url}/jobs/${id}`);
    await page.getByText('There is no answer: the job was cancelled.').waitFor();
    await page.getByText('The job ended before any result of it was validated.').waitFor();
    expect(await page.getByText('The job is being cut into units.').count()).toBe(0);
    await page.goto(`${gleaner.url}/jobs/${job.jobId}`);
  });

  it('draws the signals that were found, for everybody once the scientist shows them', async () => {
    await completeWith(`${SIGNALS.join('\n')}\n`);
    await page.reload();
    await page.getByRole('img', { name: 'Waterfall of 2 signals' }).waitFor();
    await page.getByRole('cell', { name: '1418.918946 MHz' }).waitFor();
    await page.getByRole('switch', { name: 'Show what was found, too' }).click();
    const path = `${gleaner.url}/v1/public/jobs/${job.jobId}`;
    // The job's picture is a second old at most; of a job that has ended, the page asks for it once.
    await expect
      .poll(async () => publicJobView.parse(await (await fetch(path)).json()).job.visibility.results)
      .toBe(true);
    expect((await fetch(`${path}/output`)).status).toBe(200);

    const stranger = await browser.newPage();
    await stranger.goto(`${gleaner.url}/jobs/${job.jobId}`);
    await stranger.getByRole('img', { name: 'Waterfall of 2 signals' }).waitFor();
    // The page lists the strongest: whoever wants every one has them from here.
    expect(await downloaded(stranger)).toBe(`${SIGNALS.join('\n')}\n`);
    await stranger.close();
    expect(complaints).toEqual([]);
  });

  it('says of an empty answer that it is empty, whatever was looked for', async () => {
    await completeWith('');
    await page.reload();
    await page.getByText('nothing: the answer is empty').waitFor();
    expect(await page.getByText('above the threshold').count()).toBe(0);
  });

  it('loads no more than the beginning of an answer of another kind', async () => {
    await completeWith(OTHER);
    const visitor = await browser.newPage();
    // The coordinator remembers how long the first answer was: answers do not change, except in this test.
    await visitor.route(`**/v1/public/jobs/${job.jobId}`, async (route) => {
      const response = await route.fetch();
      const view = publicJobView.parse(await response.json());
      await route.fulfill({
        response,
        json: { ...view, job: { ...view.job, output: { sizeBytes: OTHER.length } } },
      });
    });
    const ranges: Array<string | undefined> = [];
    visitor.on('request', (request) => {
      if (request.url().endsWith('/output')) ranges.push(request.headers()['range']);
    });
    const isLoaded = visitor.waitForResponse((response) => response.url().endsWith('/output'));
    await visitor.goto(`${gleaner.url}/jobs/${job.jobId}`);
    expect((await isLoaded).status()).toBe(206);
    await visitor.getByRole('heading', { name: 'Who helped' }).waitFor();
    expect(ranges).toEqual(['bytes=0-4095']);
    expect(await visitor.getByRole('heading', { name: 'What was found' }).count()).toBe(0);
    expect(await downloaded(visitor)).toBe(OTHER);
    await visitor.close();
  });

  it('has the answer of the job that has its number now, as after a restored backup', async () => {
    await page.goto(gleaner.url);
    await signIn();
    const answer = (): Promise<string> =>
      page.evaluate(async (path) => await (await fetch(path)).text(), `/v1/jobs/${job.jobId}/output`);
    for (const text of ['what was found\n', 'what was found\n', 'what another job found\n']) {
      await completeWith(text);
      expect(await answer()).toBe(text);
    }
  });

  async function downloaded(from: Page): Promise<string> {
    const isDownloaded = from.waitForEvent('download');
    await from.getByRole('link', { name: 'Download answer' }).click();
    return await readFile(await (await isDownloaded).path(), 'utf8');
  }

  async function completeWith(answer: string): Promise<void> {
    const stored = await gleaner.app.get(BlobsService).storeBytes(Buffer.from(answer), { accountId: null });
    await query(`UPDATE job SET state = 'completed', finished_at = now(), output_sha256 = $2 WHERE id = $1`, [
      job.jobId,
      Buffer.from(stored.sha256, 'hex'),
    ]);
  }

  async function signIn(): Promise<void> {
    const answer = await page.request.post(`${gleaner.url}/v1/session/token`, {
      headers: { authorization: `Bearer ${job.scientist.token}` },
    });
    expect(answer.status()).toBe(200);
    await page.evaluate((id) => localStorage.setItem('gleaner.session', id), job.scientist.account.id);
  }

  async function status(): Promise<number> {
    return (await fetch(`${gleaner.url}/v1/public/jobs/${job.jobId}`)).status;
  }
});

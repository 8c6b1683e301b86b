import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachedHost, hostPage } from '@gleaner/protocol';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aPerson, clientWith } from '../support/index.js';
import { chromiumOrWarn, complaintsOf, openBrowser } from './browser.js';
import { signInAs } from './people-pages.js';
import { aSetiJob, type SetiJob } from './seti-job.js';
import { Website } from './website.js';

const chromiumPath = chromiumOrWarn();
const IS_GONE = { status: 404, contentType: 'application/problem+json', body: '{}' } as const;
/** Chromium's word for "sites may store nothing here". */
const NOTHING_IS_STORED = { profile: { default_content_setting_values: { cookies: 2 } } };

describe.skipIf(chromiumPath === null)('a browser in which not everything is as usual', () => {
  let website: Website;
  let url: string;
  let job: SetiJob;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    website = await Website.open(chromiumPath);
    ({ url } = website.gleaner);
    job = await aSetiJob(website.gleaner, { name: 'A night at Arecibo', units: 40, unitChirps: 2 });
  });
  afterAll(() => website?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    context = await website.browser.newContext();
    page = await context.newPage();
  });
  afterEach(() => context.close());

  it('keeps in mind what there is no room to store', async () => {
    const complaints = complaintsOf(page);
    await page.goto(`${url}/volunteer`);
    await page.evaluate(fillStorage);
    await page.getByRole('button', { name: 'Use the dark theme' }).click();
    await page.getByRole('button', { name: 'Use the light theme' }).waitFor();
    await page.getByRole('slider', { name: 'Time of a core' }).fill('100');
    await page.getByText('One core, all the time').waitFor();
    await page.getByRole('button', { name: 'Start computing' }).click();
    const machine = page.getByText(/^You compute without a name, as machine \d+/);
    await machine.waitFor();
    const known = await machine.innerText();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Start computing' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await page.getByText(/^(Waiting|Working)/).waitFor();
    expect(await machine.innerText()).toBe(known);
    expect(complaints).toEqual([]);
  });

  it('computes, in one tab at a time, where sites may store nothing at all', async () => {
    const profile = await mkdtemp(join(tmpdir(), 'gleaner-profile-'));
    await mkdir(join(profile, 'Default'));
    await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(NOTHING_IS_STORED));
    const guarded = await chromium.launchPersistentContext(profile, {
      executablePath: chromiumPath ?? '',
      args: ['--headless', '--no-sandbox', '--disable-gpu'],
    });
    const here = await guarded.newPage();
    const complaints = complaintsOf(here);
    await here.goto(`${url}/volunteer`);
    const locks = here.evaluate(() => navigator.locks.request('any', () => 'given').catch(() => 'refused'));
    expect(await locks).toBe('refused');
    await here.getByRole('button', { name: 'Start computing' }).click();
    await here.getByText(/^You compute without a name, as machine/).waitFor();
    const other = await guarded.newPage();
    await other.goto(`${url}/volunteer`);
    await other.getByRole('button', { name: 'Start computing' }).click();
    await other.getByText('Another tab of this browser volunteers already.').waitFor();
    expect(complaints).toEqual([]);
    await guarded.close();
    await rm(profile, { recursive: true, force: true });
  });

  it('takes no task where what computes is of a version that the site has no more, and says what to do', async () => {
    const before = await hosts();
    await page.goto(`${url}/volunteer`);
    await page.route('**/assets/worker-*', (route) => route.fulfill(IS_GONE));
    await page.getByRole('button', { name: 'Start computing' }).click();
    await page.getByText('its program could not be loaded').waitFor();
    await page.getByText('Load it anew, then start again.').waitFor();
    expect(await hosts()).toBe(before);
    await page.unroute('**/assets/worker-*');
    await page.reload();
    await page.getByRole('button', { name: 'Start computing' }).click();
    await page.getByText(/^You compute without a name, as machine/).waitFor();
  });

  it('takes no task where WebAssembly is switched off, and says so', async () => {
    const before = await hosts();
    const strict = await openBrowser(chromiumPath ?? '', ['--js-flags=--jitless']);
    try {
      const guarded = await strict.newPage();
      const complaints = complaintsOf(guarded);
      await guarded.goto(`${url}/volunteer`);
      await guarded.getByRole('button', { name: 'Start computing' }).click();
      await guarded.getByText('This browser does not allow WebAssembly here').waitFor();
      await guarded.getByRole('button', { name: 'Start computing' }).waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await strict.close();
    }
    expect(await hosts()).toBe(before);
  });

  it('says that its machine was detached, and becomes another one', async () => {
    await page.goto(`${url}/volunteer`);
    await page.getByRole('button', { name: 'Start computing' }).click();
    const machine = page.getByText(/^You compute without a name, as machine \d+/);
    await machine.waitFor();
    const known = await machine.innerText();
    const { hostId, secret } = await page.evaluate(
      () => JSON.parse(localStorage.getItem('gleaner.host') ?? '{}') as Record<'hostId' | 'secret', string>,
    );
    await clientWith(website.gleaner, secret).delete(`/v1/hosts/${hostId}`).expect(204);
    // It hears of it with its next heartbeat.
    const told = page.getByText('The coordinator does not know this machine any more');
    await told.waitFor({ timeout: 90_000 });
    await page.getByRole('button', { name: 'Start computing' }).click();
    await machine.waitFor();
    expect(await machine.innerText()).not.toBe(known);
  });

  it('is one machine of nobody’s, however often it starts, once the session has ended', async () => {
    const vera = await aPerson(website.gleaner, { name: 'Vera' });
    await page.goto(url);
    await signInAs(website.gleaner, page, vera);
    await context.clearCookies();
    const before = await hosts();
    await page.goto(`${url}/volunteer`);
    for (let starts = 0; starts < 2; starts += 1) {
      await page.getByRole('button', { name: 'Start computing' }).click();
      await page.getByText(/^You compute without a name, as machine/).waitFor();
      await page.getByRole('link', { name: 'Sign in to claim it' }).waitFor();
      await page.getByRole('button', { name: 'Stop' }).click();
    }
    await page.getByRole('button', { name: 'Start computing' }).waitFor();
    expect(await hosts()).toBe(before + 1);
  });

  it('says that it loads, and loads anew by itself, less and less often, where its program did not come', async () => {
    await page.clock.install();
    const program = '**/assets/index-*.js';
    const answered = Promise.withResolvers<void>();
    await page.route(program, async (route) => {
      await answered.promise;
      await route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>502</h1>' });
    });
    await page.goto(url, { waitUntil: 'commit' });
    await page.getByText('Loading Gleaner …').waitFor();
    answered.resolve();
    for (const seconds of [5, 10]) {
      await page.getByText(`Gleaner did not load. It is tried again in ${seconds} seconds.`).waitFor();
      await page.clock.fastForward(`00:${String(seconds).padStart(2, '0')}`);
    }
    await page.getByText('It is tried again in 20 seconds.').waitFor();
    await page.unroute(program);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await page.getByText('Gleaner did not load.').count()).toBe(0);
    const inVain = await page.evaluate(() => sessionStorage.getItem('gleaner.loads-in-vain'));
    expect(inVain, 'the next time is counted anew').toBeNull();
  });

  it('leads on from a page of which a part is gone with the version that it is of', async () => {
    await page.goto(url);
    await page.route('**/assets/chart-*', (route) => route.fulfill(IS_GONE));
    await page.getByRole('link', { name: 'Statistics' }).first().click();
    await page.getByRole('heading', { name: 'This page cannot be shown' }).waitFor();
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByRole('link', { name: 'A night at Arecibo' }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Load the page anew' }).waitFor();
    await page.unroute('**/assets/chart-*');
    await page.getByRole('button', { name: 'Load the page anew' }).click();
    await page.locator('canvas').first().waitFor();
  });

  it('claims what it may, although the coordinator does not know one of its machines any more', async () => {
    const ada = await aPerson(website.gleaner, { name: 'Ada' });
    const facts = { name: 'browser', kind: 'browser', cores: 1, memoryMiB: 512 };
    const known = attachedHost.parse(
      (await website.gleaner.http.post('/v1/hosts').send({ host: facts }).expect(201)).body,
    );
    const forgotten = {
      hostId: '4711',
      accountId: '4711',
      isAnonymous: true,
      secret: `gln_${'x'.repeat(43)}`,
    };
    await page.goto(url);
    await signInAs(website.gleaner, page, ada);
    await page.evaluate(
      ([first, second]) => {
        localStorage.setItem('gleaner.host', JSON.stringify(first));
        localStorage.setItem('gleaner.unclaimed', JSON.stringify([second]));
      },
      [forgotten, { ...known, isAnonymous: true }],
    );
    await page.goto(`${url}/account`);
    await page.getByRole('button', { name: 'Claim this work' }).click();
    await page.getByRole('alert').filter({ hasText: 'does not know it any more' }).waitFor();
    await page.getByRole('heading', { name: 'This browser computed' }).waitFor({ state: 'detached' });
    const mine = hostPage.parse((await ada.get('/v1/hosts').expect(200)).body).items;
    expect(mine.map(({ id }) => id)).toEqual([known.hostId]);
  });

  it('shows what is chosen and how far a job is also in the colours of the system', async () => {
    await page.emulateMedia({ forcedColors: 'active' });
    await page.goto(`${url}/leaderboards?period=week`);
    const lineUnder = (name: string): Promise<string> =>
      page
        .getByRole('link', { name, exact: true })
        .evaluate((link) => getComputedStyle(link).textDecorationLine);
    await expect.poll(() => lineUnder('This week')).toBe('underline');
    expect(await lineUnder('This month')).toBe('none');
    await page.goto(`${url}/jobs/${job.jobId}`);
    const [track, filled] = await page
      .getByRole('progressbar')
      .evaluate((bar) =>
        [bar, bar.firstElementChild].map((part) => part && getComputedStyle(part).backgroundColor),
      );
    expect(filled).not.toBe(track);
  });

  it('prints in dark letters, and the pictures with their colours, also from the dark theme', async () => {
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    await page.goto(`${url}/jobs/${job.jobId}`);
    await page.getByRole('img', { name: '40 squares' }).waitFor();
    const styleOf = (selector: string, property: string): Promise<string> =>
      page
        .locator(selector)
        .first()
        .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
    expect(await styleOf('h1', 'color')).toBe('rgb(28, 32, 41)');
    for (const picture of ['[role=img] > span', '[role=progressbar] > div']) {
      expect(await styleOf(picture, 'print-color-adjust')).toBe('exact');
    }
  });

  async function hosts(): Promise<number> {
    const counted: unknown = await website.gleaner.dataSource.query('SELECT count(*)::int AS n FROM host');
    return z.array(z.object({ n: z.number() })).parse(counted)[0]?.n ?? 0;
  }
});

/** Runs in the page: leaves no room for another byte. */
function fillStorage(): void {
  let names = 0;
  for (let length = 2 ** 20; length >= 1; length /= 2) {
    try {
      for (;;) {
        localStorage.setItem(`filled ${names}`, 'x'.repeat(length));
        names += 1;
      }
    } catch {
      // Try with less.
    }
  }
}

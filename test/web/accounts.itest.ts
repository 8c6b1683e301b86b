import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachedHost } from '@gleaner/protocol';
import { BoardKeeper } from '@gleaner/coordinator';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AgentProcess } from '../e2e/agent-support/agent-process.js';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { Outbox } from '../support/outbox.js';
import { buildWebsite, chromiumOrWarn, complaintsOf, openBrowser } from './browser.js';

const chromiumPath = chromiumOrWarn();
const PASSWORD = 'correct horse battery';
/** Names are others' to choose. */
const NAME = '<b>Ada</b> 🌾 متطوعة';
/** What an agent says that has been attached, and what it keeps. */
const attached = z.object({ hostId: z.string() });
const attachments = z.object({ projects: z.array(z.object({ token: z.string() })) });

describe.skipIf(chromiumPath === null)('a person, from signing up to leaving for good', () => {
  let gleaner: TestApplication;
  let outbox: Outbox;
  /** Of the agent. */
  let data: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let machine: { hostId: string; secret: string };

  beforeAll(async () => {
    buildWebsite();
    outbox = await Outbox.open();
    data = await mkdtemp(join(tmpdir(), 'gleaner-web-'));
    gleaner = await createTestApplication({
      env: { GLEANER_ALLOW_SAME_NETWORK: '1', GLEANER_MAIL_COMMAND: outbox.command },
    });
    browser = await openBrowser(chromiumPath ?? '');
    context = await browser.newContext();
    page = await context.newPage();
    complaints = complaintsOf(page);
  });
  afterAll(async () => {
    await browser?.close();
    await gleaner?.close();
    await outbox?.[Symbol.asyncDispose]();
    await rm(data, { recursive: true, force: true });
  });

  it('signs up on the way to approving a machine by its code', async () => {
    await using agent = new AgentProcess(['attach', gleaner.url, '--name', 'Mill', '--data', data, '--json']);
    await page.goto(`${gleaner.url}/activate?code=${await waitingCode()}`);
    await page.getByRole('link', { name: 'create an account' }).click();
    await page.getByLabel('Name').fill(NAME);
    await page.getByLabel('E-mail address').fill('ada@example.org');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('heading', { name: 'Approve a machine' }).waitFor();
    await page.getByRole('heading', { name: 'Mill' }).waitFor();
    await page.getByText(`An agent on ${process.platform}-${process.arch}`).waitFor();
    await page.getByText('from the network that you are in').waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('status').filter({ hasText: 'Mill is one of your machines now.' }).waitFor();
    const { code, stdout } = await agent.ended;
    expect(code).toBe(0);
    const { hostId } = attached.parse(JSON.parse(stdout));
    const { projects } = attachments.parse(JSON.parse(await readFile(join(data, 'attachment.json'), 'utf8')));
    machine = { hostId, secret: projects[0]?.token ?? '' };
  });

  it('keeps nothing that a script of the page could steal', async () => {
    const kept = await page.evaluate(() => JSON.stringify(localStorage) + document.cookie);
    expect(kept).not.toContain('gln_');
  });

  it('asks a machine to pause, in one of two tabs, and sees it in the other', async () => {
    await page.getByRole('link', { name: 'My machines' }).click();
    await page.getByRole('heading', { name: NAME }).waitFor();
    const other = await context.newPage();
    await other.goto(`${gleaner.url}/account/machines/${machine.hostId}`);
    await page.getByRole('link', { name: 'Mill' }).click();
    await page.getByRole('radio', { name: 'Pause' }).click();
    await other.getByRole('radio', { name: 'Pause', checked: true }).waitFor();
    const beat = await gleaner.http
      .post('/v1/heartbeat')
      .set('authorization', `Bearer ${machine.secret}`)
      .send({ running: [] })
      .expect(200);
    expect(beat.body).toMatchObject({ wishes: { run: 'pause' } });
    await page.getByText('Paused, as you asked').waitFor();
    await page.getByRole('radio', { name: /^Run/ }).click();
    await gleaner.http
      .post('/v1/heartbeat')
      .set('authorization', `Bearer ${machine.secret}`)
      .send({ running: [], state: { phase: 'paused', reason: 'paused: you are typing' } })
      .expect(200);
    await page.getByText('Paused: you are typing').waitFor();
    await other.close();
  });

  it('sets what a machine may be used for, and finds it again', async () => {
    await page.getByLabel('Time of a core (%)').fill('60');
    await page.getByLabel('Every day from').fill('22:00');
    await page.getByLabel('until', { exact: true }).fill('07:00');
    await page.getByRole('button', { name: 'Save for this machine' }).click();
    await expect
      .poll(() =>
        gleaner.dataSource.query('SELECT wished_preferences AS wished FROM host WHERE id = $1', [
          machine.hostId,
        ]),
      )
      .toEqual([{ wished: { cpuTimePercent: { idle: 60 }, hours: { everyday: '22:00-07:00' } } }]);
    await page.reload();
    await expect.poll(() => page.getByLabel('Time of a core (%)').inputValue()).toBe('60');
  });

  it('changes the password, of which another one is enough to be refused', async () => {
    await page.goto(`${gleaner.url}/account/settings`);
    const form = page.getByRole('form', { name: 'Password' });
    const change = async (current: string, next: string): Promise<void> => {
      await form.getByLabel('Current password').fill(current);
      await form.getByLabel('New password').fill(next);
      await form.getByRole('button', { name: 'Change the password' }).click();
    };
    await change('not this one', 'another horse battery');
    await form.getByText('is not your password').waitFor();
    await change(PASSWORD, 'another horse battery');
    await page.getByText('Changed. Your other browsers are signed out.').waitFor();
    await change('another horse battery', PASSWORD);
    await expect.poll(() => form.getByLabel('New password').inputValue()).toBe('');
    complaints.splice(0);
  });

  it('changes the e-mail address, with a code that goes to the new one', async () => {
    const form = page.getByRole('form', { name: 'E-mail address' });
    await form.getByLabel('Current password').fill(PASSWORD);
    await form.getByLabel('New e-mail address').fill('ada@example.com');
    await form.getByRole('button', { name: 'Send a code to it' }).click();
    await page.getByText('A code is on its way to the new address.').waitFor();
    await page.getByLabel('Code').fill('not-the-code');
    await page.getByRole('button', { name: 'Use the new address' }).click();
    const refused = page.getByText('is unknown, used or older than an hour');
    await refused.waitFor();
    // Another code is not wrong before it has been entered.
    await page.getByRole('button', { name: 'Keep the old one' }).click();
    await form.getByLabel('Current password').fill(PASSWORD);
    await form.getByLabel('New e-mail address').fill('ada@example.net');
    await form.getByRole('button', { name: 'Send a code to it' }).click();
    await page.getByText('A code is on its way to the new address.').waitFor();
    expect(await refused.count()).toBe(0);
    await page.getByLabel('Code').fill(await outbox.codeFor('ada@example.net'));
    await page.getByRole('button', { name: 'Use the new address' }).click();
    // That the password was changed may still be said beside it.
    const panel = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: 'E-mail address' }) });
    await panel.getByText('Changed. Your other browsers are signed out.').waitFor();
    await expect.poll(() => page.getByText('ada@example.net').count()).toBeGreaterThan(0);
    complaints.splice(0);
  });

  it('makes a token that may do what was ticked, and revokes it', async () => {
    await page.goto(`${gleaner.url}/account/settings`);
    await page.getByText('Make a token').click();
    await page.getByLabel('What it is for').fill('laptop');
    await page.getByRole('button', { name: 'Make the token' }).click();
    const secret = await page.getByLabel('New token').innerText();
    const withToken = () => gleaner.http.get('/v1/tokens').set('authorization', `Bearer ${secret}`);
    expect((await withToken().expect(200)).text).toContain('"label":"laptop","scopes":["work"]');
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.route('**/v1/tokens/*', (route) =>
      route.fulfill({ status: 500, json: { code: 'internal', detail: 'Something broke here.' } }),
    );
    await page.getByRole('button', { name: 'Revoke laptop' }).click();
    // Whoever believed that it was revoked would leave it to whoever has it.
    await page.getByRole('alert').filter({ hasText: 'Something broke here.' }).waitFor();
    await page.unroute('**/v1/tokens/*');
    complaints.splice(0);
    await page.getByRole('button', { name: 'Revoke laptop' }).click();
    await page.getByRole('button', { name: 'Revoke laptop' }).waitFor({ state: 'detached' });
    await withToken().expect(401);
  });

  it('founds a team, leaves it, and joins it again', async () => {
    await page.goto(`${gleaner.url}/teams`);
    await page.getByLabel('Name of the team').fill('Night Owls');
    await page.getByRole('button', { name: 'Found the team' }).click();
    await page.getByRole('heading', { name: 'Night Owls' }).waitFor();
    await page.getByRole('button', { name: 'Leave the team' }).click();
    await page.getByText('Everybody has left. Whoever joins keeps it.').waitFor();
    await page.getByRole('link', { name: 'Teams', exact: true }).first().click();
    await page.getByLabel('Name of a team', { exact: true }).fill('owl');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('list', { name: 'Teams found' }).getByRole('link', { name: 'Night Owls' }).click();
    await page.getByRole('button', { name: 'Join the team' }).click();
    await page.getByRole('listitem').filter({ hasText: NAME }).waitFor();
  });

  it('claims what this browser computed before', async () => {
    const host = { name: 'browser', kind: 'browser', cores: 1, memoryMiB: 512 };
    const attached = attachedHost.parse(
      (await gleaner.http.post('/v1/hosts').send({ host }).expect(201)).body,
    );
    await page.evaluate((saved) => localStorage.setItem('gleaner.host', JSON.stringify(saved)), {
      hostId: attached.hostId,
      accountId: attached.accountId,
      isAnonymous: true,
      secret: attached.secret,
    });
    await page.goto(`${gleaner.url}/account`);
    await page.getByRole('button', { name: 'Claim this work' }).click();
    await page.getByText('Claimed: it is your work now.').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: NAME }).waitFor();
    expect(await page.getByRole('heading', { name: 'This browser computed without a name' }).count()).toBe(0);
  });

  it('signs out, and in again, but not with a wrong password', async () => {
    expect(complaints).toEqual([]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('E-mail address').fill('ada@example.net');
    await page.getByLabel('Password').fill('wrong password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'is wrong' }).waitFor();
    expect(await page.getByLabel('E-mail address').inputValue()).toBe('ada@example.net');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: NAME }).waitFor();
  });

  it('has all of its settings where it signs in on their page', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    // A page that is left does not wait for what it has asked.
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${gleaner.url}/account/settings`);
    await page.getByLabel('E-mail address').fill('ada@example.net');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    await page.getByRole('form', { name: 'Password' }).waitFor();
  });

  it('deletes the account, and is “deleted volunteer” wherever credit was earned', async () => {
    await page.goto(`${gleaner.url}/account`);
    await page.getByText('0 cycles of validated work').waitFor();
    await gleaner.dataSource.query(
      `WITH entry AS (INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles)
         SELECT 1, 0, account_id, id, 5000000 FROM host WHERE id = $1 RETURNING account_id, cycles)
       INSERT INTO account_credit (account_id, cycles, tasks) SELECT account_id, cycles, 1 FROM entry`,
      [machine.hostId],
    );
    // Also by whoever has had the page open all the time.
    await page.getByText('exactly 5,000,000 cycles').first().waitFor();
    await gleaner.app.get(BoardKeeper).reconcile();
    await page.goto(`${gleaner.url}/account/settings`);
    await page.getByRole('button', { name: 'Delete my account' }).click();
    const confirmation = page.getByLabel('Your name, to be sure');
    await confirmation.fill('Ada');
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('is not the name of this account').waitFor();
    await confirmation.fill(NAME);
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.waitForURL(`${gleaner.url}/`);
    await page.getByRole('link', { name: 'Leaderboards', exact: true }).click();
    await page.getByRole('row', { name: 'deleted volunteer' }).waitFor();
    expect(await page.getByText(NAME).count()).toBe(0);
    await page.goto(`${gleaner.url}/account`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  /** What the agent shows on its terminal. */
  async function waitingCode(): Promise<string> {
    let waiting: Array<{ user_code: string }> = [];
    await expect
      .poll(async () => {
        waiting = await gleaner.dataSource.query('SELECT user_code FROM device_code');
        return waiting.length;
      })
      .toBe(1);
    return waiting[0]?.user_code ?? '';
  }
});

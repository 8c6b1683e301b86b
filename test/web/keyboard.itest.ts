import { attachedHost, host } from '@gleaner/protocol';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, type TestApplication, type TestPerson } from '../support/index.js';
import { chromiumOrWarn } from './browser.js';
import { signInAs } from './people-pages.js';
import { Website } from './website.js';

const chromiumPath = chromiumOrWarn();

describe.skipIf(chromiumPath === null)('a person with a keyboard', () => {
  let website: Website;
  let gleaner: TestApplication;
  let page: Page;
  let ada: TestPerson;
  let hostId: string;

  beforeAll(async () => {
    website = await Website.open(chromiumPath);
    ({ gleaner, page } = website);
    ada = await aPerson(gleaner, { name: 'Ada' });
    const facts = { name: 'Mill', kind: 'agent', platform: 'linux-x64', cores: 8, memoryMiB: 16_384 };
    const attached = await ada.post('/v1/hosts', { host: facts }).expect(201);
    ({ hostId } = attachedHost.parse(attached.body));
    await page.goto(gleaner.url);
    await signInAs(gleaner, page, ada);
  });
  afterAll(() => website?.[Symbol.asyncDispose]());

  it('goes through what a machine may do with the arrows, however fast, and loses nothing typed elsewhere', async () => {
    await openMachine();
    await page.getByLabel('Cores at most').fill('7');
    await page.getByRole('radio', { name: /^Run/ }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(wishedRun).toBe('finish');
    await page.getByText('Finished, as you asked').or(page.getByText('has not asked for work yet')).waitFor();
    await expectFocus('radio', /^Finish/);
    await expect.poll(() => page.getByLabel('Cores at most').inputValue()).toBe('7');
    expect(website.complaints).toEqual([]);
  });

  it('hears that it was saved, and stays at the button that did it', async () => {
    await openMachine();
    await page.getByLabel('Cores at most').fill('6');
    await press(/^Save for/);
    await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor();
    await expectFocus('button', /^Save for/);
    await page.getByLabel('Name of the machine').fill('Windmill');
    await press('Save the name');
    await page.getByRole('heading', { name: 'Windmill' }).waitFor();
    await expect.poll(() => page.getByRole('status').filter({ hasText: 'Saved.' }).count()).toBe(2);
    await expectFocus('button', 'Save the name');
  });

  it('is led to the other end of hours that have only one', async () => {
    await openMachine();
    await page.getByLabel('Every day from').fill('22:00');
    await press(/^Save for/);
    await page.locator('[name=to]:focus').waitFor();
    await page.getByLabel('until', { exact: true }).fill('07:00');
    await press(/^Save for/);
    await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor();
    await page.reload();
    await expect.poll(() => page.getByLabel('Every day from').inputValue()).toBe('22:00');
  });

  it('is asked once more before a machine is detached, also by a key held down or a double click', async () => {
    await openMachine();
    const ask = page.getByRole('button', { name: 'Detach this machine' });
    await ask.focus();
    await page.keyboard.down('Enter');
    await page.keyboard.down('Enter');
    await page.keyboard.down('Enter');
    await page.keyboard.up('Enter');
    await page.keyboard.press('Tab');
    await expectFocus('button', 'Keep it');
    await page.keyboard.press('Enter');
    const detached: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'DELETE') detached.push(request.url());
    });
    const { width, height } = (await ask.boundingBox()) ?? { width: 0, height: 0 };
    // "Keep it" is narrower: what stands beside it would be under the second click.
    await ask.dblclick({ position: { x: width - 10, y: height / 2 } });
    await page.getByRole('button', { name: 'Keep it' }).click();
    await ask.waitFor();
    expect(detached).toEqual([]);
  });

  it('goes on where something was when it gives way to something else, not at the top of the page', async () => {
    await page.goto(`${gleaner.url}/account/settings`);
    await press('Delete my account');
    await expectToBeTold('Your name, to be sure');
    await page.keyboard.press('Tab');
    await expectFocus('textbox', 'Your name, to be sure');
    await press('Keep my account');
    await expectToBeTold('Delete my account and data');
    await page.keyboard.press('Tab');
    await expectFocus('button', 'Delete my account');
    await page.getByText('Make a token', { exact: true }).click();
    await page.getByLabel('What it is for').fill('Cron');
    await page.keyboard.press('Enter');
    await expectToBeTold('It is shown only now');
    await page.keyboard.press('Tab');
    await expectFocus('button', 'I have it');
  });

  async function openMachine(): Promise<void> {
    await page.goto(`${gleaner.url}/account/machines/${hostId}`);
    await page.getByRole('heading', { name: 'Its tasks' }).waitFor();
  }

  async function press(name: string | RegExp): Promise<void> {
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
  }

  async function expectFocus(role: 'button' | 'radio' | 'textbox', name: string | RegExp): Promise<void> {
    await page.getByRole(role, { name }).and(page.locator(':focus')).waitFor();
  }

  /** What has the focus is what a screen reader tells. */
  async function expectToBeTold(text: string): Promise<void> {
    await page.locator('main :focus').filter({ hasText: text }).waitFor();
  }

  async function wishedRun(): Promise<string> {
    return host.parse((await ada.get(`/v1/hosts/${hostId}`).expect(200)).body).wishes.run;
  }
});

import { attachedHost } from '@gleaner/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { aPerson, aProject, operatorOf, type TestApplication } from '../support/index.js';
import { chromiumOrWarn } from './browser.js';
import { Website } from './website.js';

const chromiumPath = chromiumOrWarn();

describe.skipIf(chromiumPath === null)('the operator’s page', () => {
  let site: Website;
  let gleaner: TestApplication;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    site = await Website.open(chromiumPath);
    ({ gleaner, browser, page, complaints } = site);
    const ada = await aPerson(gleaner, { name: 'Ada' });
    await ada.post('/v1/projects', { slug: 'tides', name: 'Tides', description: 'Of the sea.' }).expect(201);
    const { slug, scientist } = await aProject(gleaner);
    const search = new URLSearchParams({ project: slug, name: 'pull', version: '1' });
    await scientist
      .post(`/v1/apps?${search.toString()}`)
      .type('application/wasm')
      .send(Buffer.from(helloModule('hello\n').original))
      .expect(201);
    const host = { name: 'too fast', kind: 'agent', cores: 4, memoryMiB: 8192 };
    const { hostId } = attachedHost.parse((await ada.post('/v1/hosts', { host }).expect(201)).body);
    await operatorOf(gleaner)
      .put(`/v1/hosts/${hostId}/hold`)
      .send({ reason: 'faster than light' })
      .expect(200);
  });
  afterAll(() => site?.[Symbol.asyncDispose]());

  it('opens with the first token, which is not kept', async () => {
    await page.goto(`${gleaner.url}/operator`);
    await page.getByLabel('API token').fill(gleaner.operatorToken);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Waiting for a decision' }).waitFor();
    expect(await page.evaluate(() => JSON.stringify(localStorage) + document.cookie)).not.toContain('gln_');
  });

  it('approves a scientist’s project and an app version, and lets a held machine work again', async () => {
    await page.getByText('faster than light', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Let it work again: too fast' }).click();
    await page.getByRole('button', { name: 'Approve: Tides' }).click();
    await page.getByRole('button', { name: 'Approve: pull@1' }).click();
    await page.getByText('Nothing waits for you.').waitFor();
    const log = page.getByRole('list', { name: 'Audit log' });
    await log.getByText('host.release').waitFor();
    const version = await gleaner.http.get('/v1/apps/pull/versions/1').expect(200);
    expect(version.body).toMatchObject({ approved: true });
    const project = await gleaner.http.get('/v1/projects/tides').expect(200);
    expect(project.body).toMatchObject({ approved: true });
  });

  it('pauses all work with its reason, gives it out again, and logs both', async () => {
    await page.getByText('Pause all work').click();
    await page.getByLabel('Reason').fill('a larger disk');
    await page.getByRole('button', { name: 'Pause everything' }).click();
    await page.getByRole('heading', { name: 'All work is paused' }).waitFor();
    const log = page.getByRole('list', { name: 'Audit log' });
    await log.getByText('dispatch.pause').waitFor();
    await page.getByRole('button', { name: 'Give out work again' }).click();
    await page.getByText('Pause all work').waitFor();
    await log.getByText('dispatch.resume').waitFor();
    await log.getByText('a larger disk').waitFor();
  });

  it('shows the queues', async () => {
    await page.getByRole('row', { name: 'validate' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('is refused to everybody else', async () => {
    const ada = await aPerson(gleaner);
    const context = await browser.newContext();
    const visitor = await context.newPage();
    await visitor.goto(`${gleaner.url}/operator`);
    await visitor.getByLabel('API token').fill(ada.token);
    await visitor.getByRole('button', { name: 'Sign in' }).click();
    await visitor.getByText('Only operators of this coordinator decide here.').waitFor();
    await context.close();
  });
});

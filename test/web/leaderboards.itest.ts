import { BoardKeeper } from '@gleaner/coordinator';
import { attachedHost, boardPage, team } from '@gleaner/protocol';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, type TestApplication, type TestPerson } from '../support/index.js';
import { chromiumOrWarn } from './browser.js';
import { signInAs } from './people-pages.js';
import { Website } from './website.js';

const chromiumPath = chromiumOrWarn();
/** Each of whom has a machine and a team, and has given more than the one who looks. */
const OTHERS = 120;
const PAGE_ROWS = 50;
const MINE_RANK = OTHERS + 1;
const LAST_PAGE = Math.ceil(MINE_RANK / PAGE_ROWS);

describe.skipIf(chromiumPath === null)('the leaderboards’ page', () => {
  let site: Website;
  let gleaner: TestApplication;
  let page: Page;
  let complaints: string[];
  let ada: TestPerson;

  beforeAll(async () => {
    site = await Website.open(chromiumPath);
    ({ gleaner, page, complaints } = site);
    ada = await aPerson(gleaner, { name: 'Ada' });
    const facts = { name: 'Laptop', isNamed: true, kind: 'agent', cores: 4, memoryMiB: 8192 };
    const { hostId } = attachedHost.parse((await ada.post('/v1/hosts', { host: facts }).expect(201)).body);
    const owls = team.parse((await ada.post('/v1/teams', { name: 'Night Owls' }).expect(201)).body);
    await crowd({ accountId: ada.account.id, hostId, teamId: owls.id });
    await gleaner.app.get(BoardKeeper).reconcile();
    await page.goto(gleaner.url);
    await signInAs(gleaner, page, ada);
  });
  afterAll(() => site?.[Symbol.asyncDispose]());

  it.each([
    ['People', 'Ada you'],
    ['Teams', 'Night Owls your team'],
    ['Machines', 'Laptop yours'],
  ])('pins one’s own row where it is on another page, and leads to it: %s', async (board, row) => {
    await page.goto(`${gleaner.url}/leaderboards`);
    await page.getByRole('navigation', { name: 'Boards' }).getByRole('link', { name: board }).click();
    const pinned = page.getByRole('table', { name: 'Your place' });
    await pinned.getByRole('row', { name: `${MINE_RANK} ${row}` }).waitFor();
    // It stands under the columns of the board, of which it shows no head.
    await expect
      .poll(async () => Math.abs((await nameAt(pinned)) - (await nameAt(theBoard(board)))))
      .toBeLessThan(1);
    await page.getByRole('link', { name: 'Show who is around you' }).click();
    await theBoard(board)
      .getByRole('row', { name: `${MINE_RANK} ${row}` })
      .waitFor();
    await pinned.waitFor({ state: 'detached' });
    await page.getByText(`page ${LAST_PAGE} of ${LAST_PAGE}`).waitFor();
  });

  it('goes from page to page, to any rank, and back by the browser’s own button', async () => {
    await page.goto(`${gleaner.url}/leaderboards`);
    await expectFirst('1 Person 120');
    await expect.poll(() => page.getByRole('button', { name: 'Higher ranks' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Lower ranks' }).click();
    await expectFirst('51 Person 70');
    await page.getByLabel('Rank', { exact: true }).fill('119');
    await page.getByRole('button', { name: 'Go to rank' }).click();
    await expectFirst('101 Person 20');
    await page.getByRole('row', { name: '119 Person 2' }).waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Lower ranks' }).isDisabled()).toBe(true);
    await page.reload();
    await expectFirst('101 Person 20');
    await page.goBack();
    await expectFirst('51 Person 70');
    await page.getByRole('button', { name: 'Higher ranks' }).click();
    await expectFirst('1 Person 120');
  });

  it('leads back to the last page from an address beyond it', async () => {
    await page.goto(`${gleaner.url}/leaderboards?page=99`);
    await page.getByText(`after the last page, of ${LAST_PAGE}`).waitFor();
    await page.getByRole('button', { name: 'Higher ranks' }).click();
    await expectFirst('101 Person 20');
  });

  it('finds a name with its rank, in every period, and says where nobody is called so', async () => {
    await page.goto(`${gleaner.url}/leaderboards`);
    await page.getByRole('link', { name: 'Recent average' }).click();
    await page.getByLabel('Name', { exact: true }).fill('person 7');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('row', { name: '114 Person 7' }).waitFor();
    await page.getByRole('row', { name: '51 Person 70' }).waitFor();
    await page.getByRole('row', { name: '1 Person 120' }).waitFor({ state: 'detached' });
    // More than a name may have: the field takes what fits.
    await page.getByLabel('Name', { exact: true }).fill('x'.repeat(10_000));
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByText('Nobody was found whose name begins with').waitFor();
    // A name that looks like a number, in an address written by hand.
    await page.goto(`${gleaner.url}/leaderboards?q=120`);
    await page.getByRole('row', { name: '1 Person 120' }).waitFor();
    await page.getByRole('row', { name: '2 Person 119' }).waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });

  it('says whose midnight ends a day, a week and a month, and only there', async () => {
    const told = page.getByText('begin at midnight UTC');
    for (const period of ['Today', 'This week', 'This month']) {
      await page.goto(`${gleaner.url}/leaderboards`);
      await expectFirst('1 Person 120');
      expect(await told.count()).toBe(0);
      await page.getByRole('link', { name: period, exact: true }).click();
      await told.waitFor();
    }
    await page.goto(`${gleaner.url}/statistics?grain=day`);
    await page.getByText('Each day begins at midnight UTC.').waitFor();
    await page.getByRole('link', { name: 'Last 48 hours' }).click();
    await page.getByText('Each day begins at midnight UTC.').waitFor({ state: 'detached' });
  });

  it('says that a search was ended before its end, whether anybody was found by then or not', async () => {
    await page.goto(`${gleaner.url}/leaderboards`);
    await page.route('**/v1/boards/accounts?*', async (route) => {
      const response = await route.fetch();
      const found = boardPage.parse(await response.json());
      await route.fulfill({ response, json: { ...found, isCutShort: true } });
    });
    await page.getByLabel('Name', { exact: true }).fill('erson 7');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('row', { name: '114 Person 7' }).waitFor();
    await page.getByRole('status').filter({ hasText: 'The search took too long and was ended' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('nobody');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByText('was ended before anybody was found').waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  function theBoard(name: string) {
    return page.getByRole('table', { name: `${name} by validated cycles: All time` });
  }

  /** Where the names of a table begin, in pixels. */
  async function nameAt(table: Locator): Promise<number> {
    return (await table.getByRole('rowheader').first().boundingBox())?.x ?? Number.NaN;
  }

  async function expectFirst(row: string): Promise<void> {
    await expect
      .poll(async () =>
        (await theBoard('People').getByRole('row').nth(1).innerText()).replaceAll(/\s+/g, ' '),
      )
      .toMatch(new RegExp(`^${row}\\b`));
  }

  /** Everybody else, the later the more, and with less than all of them the one who looks. */
  async function crowd(mine: { accountId: string; hostId: string; teamId: string }): Promise<void> {
    await gleaner.dataSource.query(
      `WITH person AS (
         INSERT INTO account (name, anonymous) SELECT 'Person ' || n, false FROM generate_series(1, ${OTHERS}) n RETURNING id, name
       ), machine AS (
         INSERT INTO host (account_id, name, is_named, kind, platform, cores, memory_mib, agent_version)
         SELECT id, name, true, 'agent', 'linux-x64', 8, 16384, '0.1.0' FROM person RETURNING id, name
       ), founded AS (
         INSERT INTO team (name, keeper_id) SELECT name, id FROM person RETURNING id, name
       ), of_people AS (
         INSERT INTO account_credit (account_id, cycles, tasks)
         SELECT id, ${earned('person')}, 1 FROM person UNION ALL SELECT $1, 5, 1
       ), of_machines AS (
         INSERT INTO host_standing (host_id, allowance_per_day, cycles, credited_tasks, valid_tasks)
         SELECT id, 100, ${earned('machine')}, 1, 1 FROM machine UNION ALL SELECT $2, 100, 5, 1, 1
         ON CONFLICT (host_id) DO UPDATE SET cycles = excluded.cycles, credited_tasks = 1
       )
       INSERT INTO team_credit (team_id, cycles, tasks)
       SELECT id, ${earned('founded')}, 1 FROM founded UNION ALL SELECT $3, 5, 1`,
      [mine.accountId, mine.hostId, mine.teamId],
    );
  }
});

/** 1000 cycles times the number in the name. */
function earned(row: string): string {
  return `1000 * substr(${row}.name, length('Person ') + 1)::int`;
}

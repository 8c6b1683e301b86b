/**
 * `npm run bench:leaderboard -- --accounts 1000000 --json`: how long pages of every board take, at the top and far down,
 * and searches; and how long a grant takes to reach the page. Each request asks for something that no cache holds.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BoardKeeper,
  type Coordinator,
  createLogger,
  readConfig,
  startCoordinator,
} from '@gleaner/coordinator';
import { BOARD_PERIODS, boardPage } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { readCommandLine, wholeNumber } from '../support/command-line.js';
import { useUntilInterrupted } from '../support/use-until-interrupted.js';

const REQUESTS = 200;
const WARM_UP = 20;
const GRANTS = 10;
const FAR_PAGE = 10_000;
const ROWS = 50;
const POLL_MS = 25;

const COMMAND = {
  start: 'npm run bench:leaderboard',
  purpose: 'How long pages of every board and searches take, and a grant until it is on the page.',
  options: {
    accounts: { type: 'string', default: '1000000', help: 'on the board, 1000 to 10000000' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;
const { values } = readCommandLine(COMMAND);
const accounts = wholeNumber(COMMAND, 'accounts', values.accounts, { min: 1000, max: 10_000_000 });

/** Many more than there will be, so that their boards have a far page as well. */
const teams = Math.floor(accounts * 0.52);

interface Measured {
  readonly name: string;
  readonly page: number | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Installation {
  readonly directory: string;
  readonly coordinator: Coordinator;
}

async function start(): Promise<Installation> {
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-boards-'));
  // As root Postgres runs as another user, who has to pass through here.
  await chmod(directory, 0o711);
  const config = readConfig({
    GLEANER_PORT: '0',
    GLEANER_HOST: '127.0.0.1',
    GLEANER_DATA: join(directory, 'data'),
    GLEANER_LOG_LEVEL: 'error',
    GLEANER_PUBLIC_REQUESTS_PER_MINUTE: '1000000',
  });
  return { directory, coordinator: await startCoordinator(config, createLogger(config.logLevel)) };
}

async function stop({ directory, coordinator }: Installation): Promise<void> {
  await coordinator.stop();
  await rm(directory, { recursive: true, force: true });
}

async function main({ coordinator }: Installation): Promise<void> {
  const dataSource = coordinator.app.get(DataSource);
  note(`Filling the boards with ${accounts} accounts and as many hosts …`);
  await fill(dataSource);
  await coordinator.app.get(BoardKeeper).reconcile();
  await dataSource.query('VACUUM ANALYZE board_entry, board_name');
  const boards = await measureBoards(coordinator.url, dataSource);
  const freshnessSeconds = await measureFreshness(coordinator.url, dataSource);
  if (values.json) process.stdout.write(`${JSON.stringify({ accounts, boards, freshnessSeconds })}\n`);
  else tell(boards, freshnessSeconds);
}

/** Credit as it is in life: a few have most of it. */
async function fill(dataSource: DataSource): Promise<void> {
  await dataSource.query(
    `INSERT INTO account (name, anonymous) SELECT 'volunteer ' || md5(n::text), false FROM generate_series(1, ${accounts}) n`,
  );
  await dataSource.query(
    `INSERT INTO account_credit (account_id, cycles, tasks)
     SELECT id, trunc(1e9 * exp(10 * random()))::numeric, 1 FROM account`,
  );
  await dataSource.query(
    `INSERT INTO host (account_id, name, is_named, kind, platform, cores, memory_mib, agent_version)
     SELECT id, name, true, 'agent', 'bench', 1, 256, 'bench' FROM account`,
  );
  await dataSource.query(
    `INSERT INTO host_standing (host_id, allowance_per_day, cycles, credited_tasks)
     SELECT h.id, 1, c.cycles, c.tasks FROM host h JOIN account_credit c ON c.account_id = h.account_id`,
  );
  await dataSource.query(
    `INSERT INTO team (name, keeper_id) SELECT 'team ' || md5(n::text), (SELECT min(id) FROM account)
       FROM generate_series(1, ${teams}) n`,
  );
  await dataSource.query(
    `INSERT INTO team_credit (team_id, cycles, tasks) SELECT id, trunc(1e9 * exp(10 * random()))::numeric, 1 FROM team`,
  );
  await dataSource.query('ANALYZE');
}

async function measureBoards(url: string, dataSource: DataSource): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const kind of ['accounts', 'hosts', 'teams'] as const) {
    const lastPage = Math.floor((kind === 'teams' ? teams : accounts) / ROWS);
    const far = Math.min(FAR_PAGE, Math.max(1, lastPage - REQUESTS));
    for (const period of BOARD_PERIODS) {
      const name = `${kind} ${period}`;
      // Other pages and sizes each time, or the answers of half a second would be measured.
      measured.push(
        await measure(
          url,
          name,
          1,
          (n) => `${kind}?period=${period}&page=${1 + (n % 3)}&limit=${30 + (Math.floor(n / 3) % 70)}`,
        ),
        await measure(url, name, far, (n) => `${kind}?period=${period}&page=${far + n}&limit=${ROWS}`),
      );
    }
    const names = await someNames(dataSource, kind);
    const part = (n: number, length: number): string =>
      ((n + 1) * 2_654_435_761).toString(16).slice(0, length);
    measured.push(
      await measure(
        url,
        `${kind} search, beginning`,
        null,
        (n) => `${kind}?q=${kind === 'teams' ? 'team' : 'volunteer'}%20${part(n, 4)}`,
      ),
      await measure(url, `${kind} search, contained`, null, (n) => `${kind}?q=${part(n, 5)}`),
      await measure(
        url,
        `${kind} search, contained, of the week`,
        null,
        (n) => `${kind}?period=week&q=${part(n, 5)}`,
      ),
      // Answers are shared for half a second: the page, of which a search has one, makes each a question of its own.
      await measure(
        url,
        `${kind} search, in every name`,
        null,
        (n) => `${kind}?q=${kind === 'teams' ? 'eam' : 'unteer'}&limit=${ROWS}&page=${1 + n}`,
      ),
      await measure(
        url,
        `${kind} search, in one name of 130`,
        null,
        (n) => `${kind}?q=${part(n, 3)}&limit=${30 + (n % 70)}`,
      ),
      await measure(url, `${kind} search, in no name`, null, (n) => `${kind}?q=${part(n, 6)}zz`),
      await measure(
        url,
        `${kind} search, the very name`,
        null,
        (n) => `${kind}?q=${encodeURIComponent(names[n % names.length] ?? '')}`,
      ),
    );
  }
  return measured;
}

async function someNames(dataSource: DataSource, kind: string): Promise<string[]> {
  const rows = await dataSource.query<Array<{ name: string }>>(
    `SELECT name FROM board_name WHERE kind = $1 ORDER BY id LIMIT ${REQUESTS}`,
    [kind],
  );
  return rows.map(({ name }) => name);
}

async function measure(
  url: string,
  name: string,
  page: number | null,
  pathOf: (n: number) => string,
): Promise<Measured> {
  const times: number[] = [];
  for (let n = 0; n < WARM_UP + REQUESTS; n += 1) {
    const startedMs = performance.now();
    const answer = await fetch(`${url}/v1/boards/${pathOf(n)}`);
    const body: unknown = await answer.json();
    if (n >= WARM_UP) times.push(performance.now() - startedMs);
    if (!answer.ok) throw new Error(`${pathOf(n)}: ${JSON.stringify(body)}`);
  }
  times.sort((a, b) => a - b);
  const quantile = (share: number): number =>
    Math.round(100 * (times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0)) / 100;
  return { name, page, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** The longest of several grants, from its commit until the page shows it. */
async function measureFreshness(url: string, dataSource: DataSource): Promise<number> {
  let longestMs = 0;
  for (let grant = 1; grant <= GRANTS; grant += 1) {
    const cycles = 10n ** 15n * BigInt(grant);
    await dataSource.query(
      `WITH earned AS (INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles)
         SELECT $1, 0, id, 1, $2::numeric FROM account ORDER BY id OFFSET $1 LIMIT 1 RETURNING account_id, cycles)
       UPDATE account_credit c SET cycles = earned.cycles FROM earned WHERE c.account_id = earned.account_id`,
      [grant, cycles.toString()],
    );
    const grantedMs = performance.now();
    for (;;) {
      const answer = await fetch(`${url}/v1/boards/accounts`);
      const { items } = boardPage.parse(await answer.json());
      if (items[0]?.credit === cycles.toString()) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    longestMs = Math.max(longestMs, performance.now() - grantedMs);
  }
  return Math.round(longestMs) / 1000;
}

function tell(boards: readonly Measured[], freshnessSeconds: number): void {
  for (const { name, page, p50Ms, p99Ms } of boards) {
    const place = page === null ? '' : `page ${page}`;
    process.stdout.write(`${name.padEnd(28)} ${place.padEnd(11)} p50 ${p50Ms} ms, p99 ${p99Ms} ms\n`);
  }
  process.stdout.write(`a grant reaches the page within ${freshnessSeconds} s\n`);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

await useUntilInterrupted(start, main, stop);

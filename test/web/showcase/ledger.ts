import { BoardKeeper, StatisticsKeeper, type Coordinator } from '@gleaner/coordinator';
import { DataSource } from 'typeorm';

const DAYS = 90;
/** Far above the units that the showcase really computes. */
const FIRST_UNIT = 1_000_000_000;

const NAMES = [
  'Wanda Kowalski',
  'Observatoire de Haute-Provence',
  'tidepool',
  'Tanaka Ken',
  'Odile',
  'Night Shift',
  'Ingrid Sørensen',
  'quiet_fan',
  'Lab 4, room 112',
  'ليلى حداد',
  'Amadou',
  'Grandma’s desktop',
  'Rosalind',
  'zero-kelvin',
  'Théo & Inès',
  'Bergstation',
  'slow glass',
  'Oluwaseun',
  'Hemlock',
  'Third Floor Library',
  'mira',
  'Ada',
  'Ноябрь',
  'Pascale',
] as const;
/** Many more, so that boards have several pages. */
const FIRST_NAMES = [
  'Noor',
  'Bjarne',
  'Chiara',
  'Dmitri',
  'Esi',
  'Farid',
  'Greta',
  'Hiro',
  'Ilse',
  'Joaquín',
  'Keiko',
];
const INITIALS = ['A.', 'K.', 'M.', 'V.'];
const CROWD = FIRST_NAMES.flatMap((first) => INITIALS.map((initial) => `${first} ${initial}`));
const TEAMS = ['Friends of the Dish', 'Kyoto Amateur Radio Club', 'Night Owls', 'Physics 101'] as const;

/** Three months of a small installation's credit: what its boards and charts then say follows from entries, as in life. */
export async function fillLedger({ app }: Coordinator): Promise<void> {
  const dataSource = app.get(DataSource);
  const run = async (sql: string, parameters: unknown[] = []): Promise<void> => {
    await dataSource.query(sql, parameters);
  };
  await run(
    `INSERT INTO account (name, anonymous, created_at)
     SELECT name, false, now() - interval '${DAYS} days' FROM unnest($1::text[]) name`,
    [[...NAMES, ...CROWD]],
  );
  await run(`
    INSERT INTO host (account_id, name, kind, platform, cores, memory_mib, agent_version)
    SELECT a.id, a.name || ' ' || n, 'agent', 'linux-x64', 8, 16384, '0.1.0'
      FROM account a, generate_series(1, 1 + (a.id % 3)::int) n WHERE a.created_at < now() - interval '1 day'`);
  await run(
    `WITH made AS (
       INSERT INTO team (name, keeper_id, created_at)
       SELECT t.name, (SELECT id FROM account WHERE NOT operator ORDER BY id OFFSET t.n LIMIT 1), now() - interval '${DAYS} days'
         FROM unnest($1::text[]) WITH ORDINALITY t(name, n) RETURNING id)
     INSERT INTO team_member (account_id, team_id, joined_at, cycles_before)
     SELECT a.id, (SELECT id FROM made ORDER BY id OFFSET a.id % ${TEAMS.length} LIMIT 1), now() - interval '${DAYS} days', 0
       FROM account a WHERE NOT a.operator AND a.id % 5 <> 0`,
    [TEAMS],
  );
  await run('UPDATE team SET keeper_id = (SELECT min(account_id) FROM team_member WHERE team_id = team.id)');
  await run('SELECT setseed(0.42)');
  // More come with the weeks, and most are idle at night; everybody has their own pace.
  await run(`
    INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, team_id, granted_at)
    SELECT ${FIRST_UNIT} + row_number() OVER (ORDER BY hour, h.id) / 2, row_number() OVER (ORDER BY hour, h.id) % 2, h.account_id, h.id,
           trunc((4 + 8 * random()) * 1e9 * (1 + 40.0 / (1 + h.id % 23))), m.team_id, hour + random() * interval '1 hour'
      FROM generate_series(now() - interval '${DAYS} days', now() - interval '1 hour', interval '1 hour') hour,
           host h LEFT JOIN team_member m ON m.account_id = h.account_id
     WHERE random() < (0.3 + 0.5 * ((h.id * 7) % 10) / 10) * (0.35 + 0.65 * extract(epoch FROM hour - (now() - interval '${DAYS} days')) / ${DAYS * 86_400})
                      * (0.62 + 0.38 * sin((extract(hour FROM hour) - 9) * pi() / 12))`);
  await run(`
    INSERT INTO account_credit (account_id, cycles, tasks)
    SELECT account_id, sum(cycles), count(*) FROM credit_entry GROUP BY account_id`);
  await run(`
    INSERT INTO host_standing (host_id, allowance_per_day, cycles, credited_tasks, valid_tasks)
    SELECT host_id, 100, sum(cycles), count(*), count(*) FROM credit_entry GROUP BY host_id`);
  await run(`
    INSERT INTO team_credit (team_id, cycles, tasks)
    SELECT team_id, sum(cycles), count(*) FROM credit_entry WHERE team_id IS NOT NULL GROUP BY team_id`);
  await app.get(BoardKeeper).reconcile();
  await spreadOverPeriods(run);
  await countAgain(run, app.get(StatisticsKeeper));
}

/** The keeper takes in growth as it sees it: here it saw three months at once. */
async function spreadOverPeriods(run: (sql: string) => Promise<void>): Promise<void> {
  for (const [kind, column] of [
    ['accounts', 'account_id'],
    ['hosts', 'host_id'],
    ['teams', 'team_id'],
  ] as const) {
    await run(`
      UPDATE board_entry b
         SET day_cycles = s.day, week_cycles = s.week, month_cycles = s.month, recent = s.recent
        FROM (SELECT ${column} AS id,
                     coalesce(sum(cycles) FILTER (WHERE granted_at >= date_trunc('day', now(), 'UTC')), 0) AS day,
                     coalesce(sum(cycles) FILTER (WHERE granted_at >= date_trunc('week', now(), 'UTC')), 0) AS week,
                     coalesce(sum(cycles) FILTER (WHERE granted_at >= date_trunc('month', now(), 'UTC')), 0) AS month,
                     sum(cycles::float8 * 2::float8 ^ ((extract(epoch FROM granted_at) - 1767225600) / 604800)) AS recent
                FROM credit_entry WHERE ${column} IS NOT NULL GROUP BY 1) s
       WHERE b.kind = '${kind}' AND b.id = s.id`);
  }
}

async function countAgain(run: (sql: string) => Promise<void>, keeper: StatisticsKeeper): Promise<void> {
  const start = `date_trunc('day', now() - interval '${DAYS} days', 'UTC')`;
  await run(
    `UPDATE statistics_cursor SET counted_to = ${start}, closed_to = (${start} AT TIME ZONE 'UTC')::date`,
  );
  const runs = Math.ceil((DAYS * 24) / 500) + 1;
  for (let each = 0; each < runs; each += 1) await keeper.count();
  await run(`
    UPDATE statistics_bucket SET saved_bytes = trunc(hosts * (9 + 6 * random()) * 1e6) WHERE grain = 'hour'`);
  await run(`
    UPDATE statistics_bucket d SET saved_bytes = (
        SELECT coalesce(sum(h.saved_bytes), 0) FROM statistics_bucket h
         WHERE h.grain = 'hour' AND h.starts_at >= d.starts_at AND h.starts_at < d.starts_at + interval '1 day')
     WHERE grain = 'day'`);
}

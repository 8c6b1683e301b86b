import {
  boardRow,
  account,
  auditPage,
  host,
  hostPage,
  hostTasks,
  leaderboard,
  operatorInbox,
  parseTaskId,
  serverStatus,
  team,
  teamMemberPage,
  teamPage,
  type Host,
  type TaskAssignment,
} from '@gleaner/protocol';
import { BoardKeeper } from '@gleaner/coordinator';
import type supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { honestResult, seedJob, TestHost } from '../e2e/dispatch-fixture.js';
import {
  aPerson,
  clientWith,
  createTestApplication,
  operatorOf,
  type TestApplication,
  type TestClient,
  type TestPerson,
} from '../support/index.js';

let gleaner: TestApplication;
let scientist: TestPerson;
beforeAll(async () => {
  gleaner = await createTestApplication({
    redis: inject('redisUrl') !== null,
    env: { GLEANER_ALLOW_SAME_NETWORK: '1' },
  });
  scientist = await aPerson(gleaner, { name: 'scientist' });
});
afterAll(() => gleaner.close());

async function aHost(person: TestPerson): Promise<TestHost> {
  return await TestHost.attach(gleaner.url, { token: person.token });
}

/** Both compute every unit of a job of `units` units, each worth 123,456 cycles, until they are credited. */
async function computeTogether(units: number, ...people: TestPerson[]): Promise<void> {
  await gleaner.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
  const job = await seedJob(gleaner.dataSource, { units, accountId: scientist.account.id });
  for (const person of people) {
    const volunteer = await aHost(person);
    for (let done = 0; done < units;) {
      const { tasks } = await volunteer.ask(units);
      expect(tasks.length).toBeGreaterThan(0);
      await volunteer.report(...tasks.map((task) => honestResult(task)));
      done += tasks.length;
    }
  }
  await expect
    .poll(
      () =>
        gleaner.dataSource.query(
          'SELECT count(*)::int AS n FROM work_unit WHERE job_id = $1 AND state = $2',
          [job.jobId, 'valid'],
        ),
      { timeout: 20_000 },
    )
    .toEqual([{ n: units }]);
}

/** Rows and totals that are not what the ledger says of that very account, host or team. */
async function misattributed(): Promise<unknown[]> {
  const compare = (what: string, entries: string, totals: string): string =>
    `SELECT '${what}' AS what, id, e.cycles AS earned, t.cycles AS shown FROM (${entries}) e FULL JOIN (${totals}) t USING (id)
      WHERE coalesce(e.cycles, 0) <> coalesce(t.cycles, 0)`;
  const byPerson = `SELECT coalesce(a.person_id, a.id) AS id, sum(e.cycles) AS cycles
                      FROM credit_entry e JOIN account a ON a.id = e.account_id GROUP BY 1`;
  const by = (column: string): string =>
    `SELECT ${column} AS id, sum(cycles) AS cycles FROM credit_entry WHERE ${column} IS NOT NULL GROUP BY 1`;
  const board = (kind: string): string => `SELECT id, cycles FROM board_entry WHERE kind = '${kind}'`;
  return await gleaner.dataSource.query(
    [
      compare('account', by('account_id'), 'SELECT account_id AS id, cycles FROM account_credit'),
      compare('host', by('host_id'), 'SELECT host_id AS id, cycles FROM host_standing'),
      compare('team', by('team_id'), 'SELECT team_id AS id, cycles FROM team_credit'),
      compare('board of accounts', byPerson, board('accounts')),
      compare('board of hosts', by('host_id'), board('hosts')),
      compare('board of teams', by('team_id'), board('teams')),
    ].join(' UNION ALL '),
  );
}

/** Every total, beside what the ledger's entries add up to. */
async function totals(): Promise<Array<{ kind: string; total: string; entries: string }>> {
  await gleaner.app.get(BoardKeeper).reconcile();
  expect(await misattributed()).toEqual([]);
  return await gleaner.dataSource.query(
    `SELECT 'accounts' AS kind, (SELECT sum(cycles) FROM account_credit)::text AS total,
            (SELECT sum(cycles) FROM credit_entry)::text AS entries
     UNION ALL SELECT 'board of accounts', (SELECT sum(cycles) FROM board_entry WHERE kind = 'accounts')::text,
            (SELECT sum(cycles) FROM credit_entry)::text
     UNION ALL SELECT 'board of hosts', (SELECT sum(cycles) FROM board_entry WHERE kind = 'hosts')::text,
            (SELECT sum(cycles) FROM credit_entry)::text
     UNION ALL SELECT 'teams', (SELECT sum(cycles) FROM team_credit)::text,
            (SELECT sum(cycles) FROM credit_entry WHERE team_id IS NOT NULL)::text
     UNION ALL SELECT 'board of teams', (SELECT sum(cycles) FROM board_entry WHERE kind = 'teams')::text,
            (SELECT sum(cycles) FROM credit_entry WHERE team_id IS NOT NULL)::text`,
  );
}

describe('a host, from afar', () => {
  async function read(person: TestClient, hostId: string): Promise<{ etag: string; host: Host }> {
    const response = await person.get(`/v1/hosts/${hostId}`).expect(200);
    return { etag: response.get('etag') ?? '', host: host.parse(response.body) };
  }

  it('hears what its owner wishes when it next calls, and why it gets no work', async () => {
    const ada = await aPerson(gleaner);
    const machine = await aHost(ada);
    expect((await machine.work()).wishes).toBeUndefined();
    const { etag } = await read(ada, machine.attached.hostId);
    const changed = await ada
      .patch(`/v1/hosts/${machine.attached.hostId}`)
      .set('if-match', etag)
      .send({ run: 'pause', preferences: { onBattery: 'pause', cpuTimePercent: { idle: 50 } } })
      .expect(200);
    const wishes = {
      run: 'pause',
      version: 1,
      preferences: { onBattery: 'pause', cpuTimePercent: { idle: 50 } },
    };
    expect(host.parse(changed.body).wishes).toEqual(wishes);
    const answer = await machine.work({ request: { maxTasks: 1, memoryMiB: 1024 } });
    expect(answer.wishes).toEqual(wishes);
    expect(answer.noWork).toMatchObject([{ code: 'owner-paused' }]);
    const overruled = await machine.work({ request: { maxTasks: 1, memoryMiB: 1024, overrulesWishes: 1 } });
    expect(overruled.noWork).not.toMatchObject([{ code: 'owner-paused' }]);
    expect((await machine.work({ request: { maxTasks: 1, memoryMiB: 1024 } })).noWork).toMatchObject([
      { code: 'owner-paused' },
    ]);
    const beat = await machine.post('/v1/heartbeat', { running: [] });
    expect(beat).toMatchObject({ wishes });
    const seen = hostTasks.parse(
      (await ada.get(`/v1/hosts/${machine.attached.hostId}/tasks`).expect(200)).body,
    );
    expect(seen.lastAnswer?.noWork).toMatchObject([{ code: 'owner-paused' }]);
  });

  it('keeps the change of one of two tabs, and tells the other', async () => {
    const ada = await aPerson(gleaner);
    const { hostId } = (await aHost(ada)).attached;
    const { etag } = await read(ada, hostId);
    const change = (run: string) => ada.patch(`/v1/hosts/${hostId}`).set('if-match', etag).send({ run });
    const answers = await Promise.all([change('pause'), change('finish')]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    expect((await read(ada, hostId)).host.wishes.version).toBe(1);
    await ada.patch(`/v1/hosts/${hostId}`).send({ run: 'run' }).expect(428);
  });

  it('is changed by nobody else, and not by itself', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const { hostId, secret } = (await aHost(ada)).attached;
    for (const [client, status] of [
      [eve, 404],
      [operatorOf(gleaner), 404],
      [clientWith(gleaner, secret), 403],
    ] as const) {
      await client.patch(`/v1/hosts/${hostId}`).set('if-match', '*').send({ run: 'pause' }).expect(status);
    }
    await eve.get(`/v1/hosts/${hostId}/tasks`).expect(404);
    for (const id of ['0', '-1', '9e9', '1%20OR%201=1', '99999999999999999999']) {
      expect((await ada.get(`/v1/hosts/${id}/tasks`)).status).toBe(400);
    }
    const refused = await ada
      .patch(`/v1/hosts/${hostId}`)
      .set('if-match', '*')
      .send({ preferences: { cpuTimePercent: { idle: 1000 } } })
      .expect(400);
    expect(refused.body).toMatchObject({ errors: [{ pointer: '/preferences/cpuTimePercent/idle' }] });
  });

  it('is called by its number on the boards until its owner names it: machines are called after people', async () => {
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    await computeTogether(1, ada, bob);
    const mine = async (): Promise<Host> => {
      const [found] = hostPage.parse((await ada.get('/v1/hosts')).body).items;
      if (!found) throw new Error('Ada has no host');
      return found;
    };
    const { id, name, publicName } = await mine();
    expect(name).not.toBe(publicName);
    expect(publicName).toBe(`host ${id}`);
    await gleaner.app.get(BoardKeeper).reconcile();
    const onBoards = async (): Promise<string[]> => {
      const row = boardRow.parse((await gleaner.http.get(`/v1/boards/hosts/rows/${id}`).expect(200)).body);
      const list = leaderboard.parse((await gleaner.http.get('/v1/leaderboards/hosts?limit=200')).body);
      return [row.name, list.items.find((item) => item.id === id)?.name ?? ''];
    };
    expect(await onBoards()).toEqual([publicName, publicName]);
    await ada.patch(`/v1/hosts/${id}`).set('if-match', '*').send({ name: 'The old laptop' }).expect(200);
    expect((await mine()).publicName).toBe('The old laptop');
    await expect.poll(onBoards).toEqual(['The old laptop', 'The old laptop']);
    const named = { name: 'Rack 3', isNamed: true, kind: 'agent', cores: 1, memoryMiB: 1024 };
    await ada.post('/v1/hosts', { host: named }).expect(201);
    expect((await mine()).publicName).toBe('Rack 3');
  });

  it('shows its tasks by state, given back, lost and late ones too', async () => {
    await gleaner.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
    const { jobId } = await seedJob(gleaner.dataSource, { units: 5, accountId: scientist.account.id });
    const ada = await aPerson(gleaner);
    const machine = await aHost(ada);
    const { hostId } = machine.attached;
    const tasks: TaskAssignment[] = [];
    while (tasks.length < 5) tasks.push(...(await machine.ask(5 - tasks.length)).tasks);
    const [first, returned, lost, late, unwanted] = tasks;
    if (!first || !returned || !lost || !late || !unwanted) throw new Error('the five units did not come');
    const counts = async (): Promise<Record<string, number | null>> => {
      const seen = hostTasks.parse((await ada.get(`/v1/hosts/${hostId}/tasks`)).body);
      return Object.fromEntries(seen.counts.map(({ state, count }) => [state, count]));
    };
    await machine.report(honestResult(first));
    await machine.post('/v1/heartbeat', { running: [], returned: [returned.taskId] });
    const seen = hostTasks.parse((await ada.get(`/v1/hosts/${hostId}/tasks`)).body);
    expect(seen.inProgress.map(({ taskId }) => taskId).toSorted()).toEqual(
      [lost, late, unwanted].map(({ taskId }) => taskId).toSorted(),
    );
    const none = { valid: 0, invalid: 0, error: 0 };
    expect(await counts()).toEqual({ ...none, 'in-progress': 3, reported: 1, aborted: 1, lost: 0 });
    for (const { taskId } of [lost, late]) {
      await gleaner.dataSource.query(
        "UPDATE lease SET expires_at = now() - interval '1 s' WHERE unit_id = $1",
        [parseTaskId(taskId).unitId],
      );
    }
    await expect.poll(counts).toEqual({ ...none, 'in-progress': 1, reported: 1, aborted: 1, lost: 2 });
    await machine.report(honestResult(late));
    await expect.poll(counts).toEqual({ ...none, 'in-progress': 1, reported: 2, aborted: 1, lost: 1 });
    // The job is cancelled: what is computed or waits for agreement is not wanted any more.
    await scientist.delete(`/v1/jobs/${jobId}`).expect(204);
    await expect.poll(async () => (await counts())['aborted']).toBe(4);
    const [card] = hostPage.parse((await ada.get('/v1/hosts')).body).items;
    expect(card).toMatchObject({ lostTasks: 1, abortedTasks: 4 });
  });

  it('shows its owner, and nobody else, what it says of itself, until it is silent', async () => {
    const ada = await aPerson(gleaner);
    const machine = await aHost(ada);
    const { hostId } = machine.attached;
    const ask = { request: { maxTasks: 1, memoryMiB: 1024 } };
    const seen = async () => (await read(ada, hostId)).host.state;
    expect(await seen()).toBeNull();
    await machine.work({ ...ask, state: { phase: 'waiting', reason: 'waiting: no work at the moment' } });
    expect(await seen()).toMatchObject({ phase: 'waiting', reason: 'waiting: no work at the moment' });
    // It does not say what has not changed, and is not believed to change every second.
    await machine.work(ask);
    const paused = { phase: 'paused', reason: 'paused: you are typing' };
    await machine.post('/v1/heartbeat', { running: [], state: paused });
    expect(await seen()).toMatchObject({ phase: 'waiting' });
    const longAgo = "UPDATE host SET said_at = now() - interval '1 minute' WHERE id = $1";
    await gleaner.dataSource.query(longAgo, [hostId]);
    await machine.post('/v1/heartbeat', { running: [], state: paused });
    expect(await seen()).toMatchObject(paused);
    expect(hostPage.parse((await ada.get('/v1/hosts')).body).items).toMatchObject([{ state: paused }]);
    const operator = operatorOf(gleaner);
    expect((await read(operator, hostId)).host.state).toBeNull();
    const listed = await operator.get(`/v1/hosts?account=${ada.account.id}`).expect(200);
    expect(hostPage.parse(listed.body).items).toMatchObject([{ state: null }]);
    await gleaner.dataSource.query(
      "UPDATE host SET last_seen_at = now() - interval '12 minutes' WHERE id = $1",
      [hostId],
    );
    expect(await seen()).toBeNull();
    const tooLong = { phase: 'paused', reason: 'x'.repeat(10_000) };
    await expect(machine.post('/v1/heartbeat', { running: [], state: tooLong })).rejects.toThrow(
      /400.*state\/reason/,
    );
  });
});

describe('what is far too long', () => {
  const LONG = 'x'.repeat(10_000);
  const owned = async () => {
    const ada = await aPerson(gleaner);
    const { hostId } = (await aHost(ada)).attached;
    const founded = team.parse((await ada.post('/v1/teams', { name: `Team of ${hostId}` }).expect(201)).body);
    return { ada, hostId, teamId: founded.id };
  };
  type Owned = Awaited<ReturnType<typeof owned>>;
  const facts = { kind: 'agent', cores: 1, memoryMiB: 1024 };

  it.each<[string, string, (test: Owned) => supertest.Test]>([
    ['the name of an account', '/name', ({ ada }) => ada.patch('/v1/accounts/me').send({ name: LONG })],
    ['the name of a team', '/name', ({ ada }) => ada.post('/v1/teams', { name: LONG })],
    [
      'a new name of a team',
      '/name',
      ({ ada, teamId }) => ada.patch(`/v1/teams/${teamId}`).set('if-match', '*').send({ name: LONG }),
    ],
    [
      'the description of a team',
      '/description',
      ({ ada }) => ada.post('/v1/teams', { name: 'a', description: LONG }),
    ],
    [
      'the name of a host',
      '/host/name',
      ({ ada }) => ada.post('/v1/hosts', { host: { ...facts, name: LONG } }),
    ],
    [
      'a new name of a host',
      '/name',
      ({ ada, hostId }) => ada.patch(`/v1/hosts/${hostId}`).set('if-match', '*').send({ name: LONG }),
    ],
    [
      'the platform of a host',
      '/host/platform',
      ({ ada }) => ada.post('/v1/hosts', { host: { ...facts, name: 'a', platform: LONG } }),
    ],
    [
      'the name of a project',
      '/name',
      ({ ada }) => ada.post('/v1/projects', { slug: 'long-name', name: LONG }),
    ],
    [
      'the label of a token',
      '/label',
      ({ ada }) => ada.post('/v1/tokens', { label: LONG, scopes: ['work'] }),
    ],
    [
      'why a host is held',
      '/reason',
      ({ hostId }) => operatorOf(gleaner).put(`/v1/hosts/${hostId}/hold`).send({ reason: LONG }),
    ],
    [
      'why everything is paused',
      '/reason',
      () => operatorOf(gleaner).put('/v1/operator/dispatch-pause').send({ reason: LONG }),
    ],
    ['a search', '/q', () => gleaner.http.get(`/v1/boards/accounts?q=${LONG}`)],
    [
      'a name that signs up',
      '/name',
      () =>
        gleaner.http
          .post('/v1/session/sign-up')
          .send({ name: LONG, email: 'long@example.org', password: 'correct horse battery' }),
    ],
  ])('is refused with its place: %s', async (_what, pointer, send) => {
    const refused = await send(await owned());
    expect({ status: refused.status, body: refused.body as unknown }).toMatchObject({
      status: 400,
      body: { errors: [{ pointer }] },
    });
    expect(refused.text.length).toBeLessThan(2_000);
  });
});

describe('teams', () => {
  async function aTeam(founder: TestPerson, name: string) {
    return team.parse((await founder.post('/v1/teams', { name }).expect(201)).body);
  }
  const read = async (id: string) => team.parse((await gleaner.http.get(`/v1/teams/${id}`).expect(200)).body);

  it('count what members earn while they are members, and keep it when they leave', async () => {
    const [ada, bob] = [await aPerson(gleaner, { name: 'Ada' }), await aPerson(gleaner, { name: 'Bob' })];
    await computeTogether(1, ada, bob);
    const gleaners = await aTeam(ada, 'The Gleaners');
    expect(gleaners).toMatchObject({ credit: '0', members: 1, keeper: { name: 'Ada' } });
    await computeTogether(2, ada, bob);
    expect((await read(gleaners.id)).credit).toBe(String(2 * 123456));
    const members = await gleaner.http.get(`/v1/teams/${gleaners.id}/members`).expect(200);
    expect(teamMemberPage.parse(members.body).items).toMatchObject([
      { name: 'Ada', credit: String(2 * 123456) },
    ]);
    await bob.put(`/v1/teams/${gleaners.id}/members/me`).expect(200);
    await bob.put(`/v1/teams/${gleaners.id}/members/me`).expect(200);
    await ada.delete(`/v1/teams/${gleaners.id}/members/me`).expect(204);
    await computeTogether(1, ada, bob);
    expect(await read(gleaners.id)).toMatchObject({
      credit: String(3 * 123456),
      validTasks: 3,
      members: 1,
      keeper: { name: 'Bob' },
    });
    for (const { total, entries, kind } of await totals())
      expect({ kind, total }).toEqual({ kind, total: entries });
    const board = await gleaner.http.get('/v1/boards/teams?period=day').expect(200);
    expect(board.body).toMatchObject({ items: [{ name: 'The Gleaners', value: String(3 * 123456) }] });
  });

  it('have one name each, and one keeper who may change it', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const { id } = await aTeam(ada, 'Night Owls');
    // Found by those who are to join it, although it has earned nothing.
    const found = await gleaner.http.get('/v1/teams?q=ght%20OW').expect(200);
    expect(teamPage.parse(found.body).items.map((each) => each.id)).toEqual([id]);
    expect((await gleaner.http.get('/v1/teams?q=%25').expect(200)).body).toMatchObject({ items: [] });
    expect((await eve.post('/v1/teams', { name: 'NIGHT owls' }).expect(409)).body).toMatchObject({
      errors: [{ pointer: '/name' }],
    });
    await eve.patch(`/v1/teams/${id}`).set('if-match', '*').send({ name: 'Eve’s' }).expect(403);
    const etag = (await ada.get(`/v1/teams/${id}`)).get('etag') ?? '';
    await ada
      .patch(`/v1/teams/${id}`)
      .set('if-match', etag)
      .send({ description: 'We compute at night.' })
      .expect(200);
    await ada.patch(`/v1/teams/${id}`).set('if-match', etag).send({ description: 'Other tab' }).expect(412);
  });

  it('have one team a person, also when two tabs join two at once', async () => {
    const [ada, bob] = [await aPerson(gleaner), await aPerson(gleaner)];
    const teams = [await aTeam(bob, 'First'), await aTeam(await aPerson(gleaner), 'Second')];
    const answers = await Promise.all(teams.map(({ id }) => ada.put(`/v1/teams/${id}/members/me`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const after = await Promise.all(teams.map(({ id }) => read(id)));
    expect(after.map(({ members }) => members).toSorted((a, b) => a - b)).toEqual([1, 2]);
  });
});

describe('claimed work', () => {
  const cycles = 123_456;

  /** A unit that the anonymous host and `person` compute together. */
  async function compute(anonymous: TestHost, person: TestPerson): Promise<void> {
    await gleaner.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
    const job = await seedJob(gleaner.dataSource, { units: 1, accountId: scientist.account.id });
    for (const volunteer of [anonymous, await aHost(person)]) {
      const { tasks } = await volunteer.ask();
      await volunteer.report(...tasks.map((task) => honestResult(task)));
    }
    await expect
      .poll(() => gleaner.dataSource.query('SELECT state FROM work_unit WHERE id = $1', [job.firstUnitId]))
      .toEqual([{ state: 'valid' }]);
  }

  async function standing(id: string): Promise<Record<string, string> | undefined> {
    const [row]: Array<Record<string, string>> = await gleaner.dataSource.query(
      `SELECT name, cycles, tasks, day_cycles, week_cycles, month_cycles FROM board_entry JOIN board_name USING (kind, id)
        WHERE kind = 'accounts' AND id = $1`,
      [id],
    );
    return row;
  }

  it('is added to what its claimer earned, in the periods that it was earned in', async () => {
    const [ada, bob] = [await aPerson(gleaner, { name: 'Ada' }), await aPerson(gleaner)];
    const anonymous = await TestHost.attach(gleaner.url);
    const { accountId } = anonymous.attached;
    await compute(anonymous, bob);
    await computeTogether(1, ada, bob);
    await gleaner.app.get(BoardKeeper).reconcile();
    // The anonymous work was done in another month.
    await gleaner.dataSource.query(
      `UPDATE board_entry SET day = day - 40, week = week - 42, month = (month - interval '1 month')::date
        WHERE kind = 'accounts' AND id = $1`,
      [accountId],
    );
    const entries = () => gleaner.dataSource.query('SELECT * FROM credit_entry ORDER BY unit_id, ordinal');
    const ledger: unknown = await entries();

    const claimed = await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret });
    expect(account.parse(claimed.body).credit).toBe(String(2 * cycles));
    const today = String(cycles);
    const expected = { name: 'Ada', day_cycles: today, week_cycles: today, month_cycles: today };
    expect(await standing(ada.account.id)).toEqual({ ...expected, cycles: String(2 * cycles), tasks: '2' });
    expect(await standing(accountId)).toBeUndefined();
    for (const { total, entries: sum, kind } of await totals())
      expect({ kind, total }).toEqual({ kind, total: sum });
    expect(await standing(ada.account.id)).toMatchObject({ cycles: String(2 * cycles), ...expected });
    expect(await entries()).toEqual(ledger);

    await compute(anonymous, bob);
    await gleaner.app.get(BoardKeeper).refresh();
    expect(await standing(ada.account.id)).toMatchObject({
      cycles: String(3 * cycles),
      day_cycles: String(2 * cycles),
    });
    const board = leaderboard.parse(
      (await gleaner.http.get('/v1/leaderboards/accounts?limit=200').expect(200)).body,
    );
    expect(board.items.filter(({ id }) => id === accountId || id === ada.account.id)).toMatchObject([
      { id: ada.account.id, name: 'Ada', credit: String(3 * cycles), validTasks: 3 },
    ]);
  });

  it('is on the boards of somebody who has earned nothing else', async () => {
    const [ada, bob] = [await aPerson(gleaner, { name: 'Ada' }), await aPerson(gleaner)];
    const anonymous = await TestHost.attach(gleaner.url);
    await compute(anonymous, bob);
    await gleaner.app.get(BoardKeeper).reconcile();
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    expect(await standing(ada.account.id)).toMatchObject({ name: 'Ada', cycles: String(cycles), tasks: '1' });
    for (const { total, entries, kind } of await totals())
      expect({ kind, total }).toEqual({ kind, total: entries });
  });

  it('brings its machine with it, to see and to decide about, for nobody else', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const own = await aHost(ada);
    const anonymous = await TestHost.attach(gleaner.url);
    const { hostId } = anonymous.attached;
    const path = `/v1/hosts/${hostId}`;
    await ada.get(path).expect(404);
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    const mine = hostPage.parse((await ada.get('/v1/hosts').expect(200)).body).items.map(({ id }) => id);
    expect(mine).toEqual([hostId, own.attached.hostId]);
    await ada.get(`${path}/tasks`).expect(200);
    await ada.patch(path).set('if-match', '*').send({ run: 'pause', name: 'in the attic' }).expect(200);
    await expect
      .poll(async () => (await anonymous.work({ request: { maxTasks: 1, memoryMiB: 1024 } })).noWork)
      .toMatchObject([{ code: 'owner-paused' }]);
    const other = clientWith(gleaner, own.attached.secret);
    for (const stranger of [eve, other]) {
      await stranger.get(path).expect(404);
      await stranger.delete(path).expect(404);
    }
    await eve.patch(path).set('if-match', '*').send({ run: 'run' }).expect(404);
    await ada.delete(path).expect(204);
    await clientWith(gleaner, anonymous.attached.secret).get(path).expect(401);
  });
});

describe('deleting an account', () => {
  it('forgets the person and keeps the ledger true', async () => {
    const [ada, bob] = [
      await aPerson(gleaner, { name: 'Ada of the mill' }),
      await aPerson(gleaner, { name: 'Bob' }),
    ];
    await computeTogether(1, ada, bob);
    await ada.post('/v1/teams', { name: 'Millers' }).expect(201);
    const anonymous = await TestHost.attach(gleaner.url);
    await ada.post('/v1/accounts/me/claims', { secret: anonymous.attached.secret }).expect(200);
    await gleaner.app.get(BoardKeeper).reconcile();
    const machineId = hostPage.parse((await ada.get('/v1/hosts').expect(200)).body).items[0]?.id;
    await ada.delete('/v1/accounts/me').send({ name: 'Ada' }).expect(400);
    await ada.delete('/v1/accounts/me').send({ name: 'Ada of the mill' }).expect(204);

    await ada.get('/v1/accounts/me').expect(401);
    await clientWith(gleaner, anonymous.attached.secret).get('/v1/accounts/me').expect(401);
    const everything = JSON.stringify(
      await gleaner.dataSource.query(
        `SELECT (SELECT json_agg(a) FROM account a) AS a, (SELECT json_agg(h) FROM host h WHERE account_id = $1) AS h,
                (SELECT json_agg(b) FROM board_name b WHERE kind = 'accounts' OR id = $2) AS b, (SELECT json_agg(e) FROM audit_entry e) AS e`,
        [ada.account.id, machineId],
      ),
    );
    expect(everything).not.toContain('Ada of the mill');
    expect(everything).not.toContain('test host');
    for (const { total, entries, kind } of await totals())
      expect({ kind, total }).toEqual({ kind, total: entries });
    const board = await gleaner.http.get('/v1/boards/accounts?q=deleted').expect(200);
    expect(board.body).toMatchObject({ items: [{ name: 'deleted volunteer', credit: '123456' }] });
    const search = await gleaner.http.get('/v1/boards/accounts?q=of%20the%20mill').expect(200);
    expect(search.body).toMatchObject({ items: [] });
  });

  it('gives back what the person’s hosts hold', async () => {
    await gleaner.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
    await seedJob(gleaner.dataSource, { units: 1, accountId: scientist.account.id });
    const ada = await aPerson(gleaner, { name: 'Ada' });
    const machine = await aHost(ada);
    expect((await machine.ask()).tasks).toHaveLength(1);
    await ada.delete('/v1/accounts/me').send({ name: 'Ada' }).expect(204);
    expect(
      await gleaner.dataSource.query('SELECT count(*)::int AS n FROM lease WHERE host_id = $1', [
        machine.attached.hostId,
      ]),
    ).toEqual([{ n: 0 }]);
  });

  it('waits for jobs to end, and leaves an operator', async () => {
    const ada = await aPerson(gleaner, { name: 'Ada' });
    await seedJob(gleaner.dataSource, { units: 1, accountId: ada.account.id });
    const refused = await ada.delete('/v1/accounts/me').send({ name: 'Ada' }).expect(409);
    expect(refused.body).toMatchObject({ code: 'wrong-state' });
    await operatorOf(gleaner).delete('/v1/accounts/me').send({ name: 'operator' }).expect(409);
  });
});

describe('the operator', () => {
  it('pauses everything, tells every volunteer why, and goes on', async () => {
    const operator = operatorOf(gleaner);
    const machine = await aHost(await aPerson(gleaner));
    await operator.put('/v1/operator/dispatch-pause').send({ reason: 'moving to a larger disk' }).expect(200);
    const { noWork } = await machine.work({ request: { maxTasks: 1, memoryMiB: 1024 } });
    expect(noWork).toMatchObject([
      { code: 'dispatch-paused', message: 'the operator has paused all work: moving to a larger disk' },
    ]);
    await expect
      .poll(
        async () => serverStatus.parse((await gleaner.http.get('/v1/status')).body).dispatchPaused?.reason,
        {
          timeout: 10_000,
        },
      )
      .toBe('moving to a larger disk');
    await operator.delete('/v1/operator/dispatch-pause').expect(204);
    await operator.delete('/v1/operator/dispatch-pause').expect(204);
    const after = await machine.work({ request: { maxTasks: 1, memoryMiB: 1024 } });
    expect(after.noWork.map(({ code }) => code)).not.toContain('dispatch-paused');
    const log = auditPage.parse((await operator.get('/v1/operator/audit?limit=2').expect(200)).body);
    expect(log.items).toMatchObject([
      { action: 'dispatch.resume', account: { name: 'operator' } },
      { action: 'dispatch.pause', detail: { reason: 'moving to a larger disk' } },
    ]);
  });

  it('sees what waits for a decision, and decides', async () => {
    const operator = operatorOf(gleaner);
    const ada = await aPerson(gleaner, { name: 'Ada' });
    await ada.post('/v1/projects', { slug: 'tides', name: 'Tides', description: 'Of the sea.' }).expect(201);
    const machine = await aHost(ada);
    await operator.put(`/v1/hosts/${machine.attached.hostId}/hold`).send({ reason: 'too fast' }).expect(200);
    const inbox = operatorInbox.parse((await operator.get('/v1/operator/inbox').expect(200)).body);
    expect(inbox.projects).toMatchObject([{ slug: 'tides', creator: { name: 'Ada' } }]);
    expect(inbox.heldHosts).toMatchObject([{ id: machine.attached.hostId, held: 'too fast' }]);
    await operator.post('/v1/projects/tides/approval').expect(200);
    await operator.put(`/v1/hosts/${machine.attached.hostId}/hold`).send({ reason: null }).expect(200);
    expect(operatorInbox.parse((await operator.get('/v1/operator/inbox')).body)).toMatchObject({
      projects: [],
      heldHosts: [],
    });
  });

  it('is nobody else', async () => {
    const ada = await aPerson(gleaner);
    for (const path of ['/v1/operator/inbox', '/v1/operator/audit']) {
      await ada.get(path).expect(403);
      await gleaner.http.get(path).expect(401);
    }
    await ada.put('/v1/operator/dispatch-pause').send({ reason: 'because' }).expect(403);
  });

  it('and everybody see how the server is', async () => {
    const status = serverStatus.parse((await gleaner.http.get('/v1/status').expect(200)).body);
    expect(status.database.up).toBe(true);
    expect(status.queues?.map(({ name }) => name)).toEqual(expect.arrayContaining(['validate', 'dispatch']));
  });
});

import { BoardRebuild } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createTestApplication,
  createVolunteer,
  send,
  type TestApplication,
  TestHost,
} from '../support/index.js';

/** Of each table: enough that reading one of them for every part of another would tell. */
const ROWS = 40_000;
const CONNECTIONS = 8;

const readRows = z.tuple([z.object({ reads: z.coerce.number() })]);

describe('an installation of many volunteers', () => {
  let gleaner: TestApplication;

  beforeAll(async () => {
    // Nobody keeps the boards besides.
    gleaner = await createTestApplication({
      env: { GLEANER_ROLE: 'api', GLEANER_DATABASE_CONNECTIONS: String(CONNECTIONS) },
    });
    await gleaner.dataSource.query(`
      INSERT INTO account (name, anonymous) SELECT 'volunteer ' || i, true FROM generate_series(1, ${ROWS}) i;
      INSERT INTO account_credit (account_id, cycles, tasks) SELECT id, 1000, 1 FROM account;
      INSERT INTO host (account_id, name, kind, platform, cores, memory_mib, agent_version)
      SELECT id, 'machine', 'agent', 'linux-x64', 4, 8192, '1' FROM account;
      INSERT INTO host_standing (host_id, allowance_per_day, cycles) SELECT id, 100, 1000 FROM host;
      INSERT INTO api_token (account_id, host_id, secret_sha256, label, scopes)
      SELECT account_id, id, sha256(id::text::bytea), 'host', '{work}' FROM host;
      ANALYZE`);
  });
  afterAll(() => gleaner.close());

  /** Rows of this table that were read so far. Every connection holds back what it has read lately. */
  async function readsOf(table: 'account' | 'api_token' | 'host'): Promise<number> {
    const runners = Array.from({ length: CONNECTIONS }, () => gleaner.dataSource.createQueryRunner());
    await Promise.all(runners.map((runner) => runner.query('SELECT pg_stat_force_next_flush()')));
    await Promise.all(runners.map((runner) => runner.release()));
    const rows: unknown = await gleaner.dataSource.query(
      'SELECT seq_tup_read + idx_tup_fetch AS reads FROM pg_stat_user_tables WHERE relname = $1',
      [table],
    );
    return readRows.parse(rows)[0].reads;
  }

  it('detaches a machine without looking at the tokens of all others', async () => {
    const { token } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'owner');
    const { attached } = await TestHost.attach(gleaner.url, { token });
    const before = await readsOf('api_token');
    await fetch(`${gleaner.url}/v1/hosts/${attached.hostId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    }).then((answer) => expect(answer.status).toBe(204));
    expect((await readsOf('api_token')) - before).toBeLessThan(ROWS / 10);
    await expect(
      send(gleaner.url, 'POST', '/v1/heartbeat', { token: attached.secret, body: {} }),
    ).rejects.toThrow('401');
  });

  it.each([
    { kind: 'accounts', table: 'account' },
    { kind: 'hosts', table: 'host' },
  ] as const)('compares the board of $kind with all of them by reading each a few times', async (board) => {
    const before = await readsOf(board.table);
    await gleaner.app.get(BoardRebuild).restore(board.kind);
    expect((await readsOf(board.table)) - before).toBeLessThan(4 * ROWS);
  });
});

import { createHash } from 'node:crypto';
import {
  resultDigestText,
  type HeartbeatResponse,
  type ResultReport,
  type TaskAssignment,
} from '@gleaner/protocol';
import { ValidationService } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/application.js';
import {
  createVolunteer,
  honestResult,
  type JobSeed,
  RUNTIME,
  type SeededJob,
  seedJob,
  TestHost,
} from './dispatch-fixture.js';

let app: TestApplication;
let scientist: { accountId: string; token: string };

beforeAll(async () => {
  app = await createTestApplication({
    redis: inject('redisUrl') !== null,
    env: { GLEANER_ALLOW_SAME_NETWORK: '1' },
  });
  scientist = await createVolunteer(app.url, app.operatorToken, 'scientist');
});
afterAll(() => app.close());

async function aVolunteer(kind: 'agent' | 'browser' = 'agent'): Promise<TestHost> {
  const { token } = await createVolunteer(app.url, app.operatorToken, 'volunteer');
  return TestHost.attach(app.url, { token, kind });
}

/** A job of one unit; the jobs of earlier tests are put aside so that nobody gets their units. */
async function aJob(seed: Partial<JobSeed> = {}): Promise<SeededJob> {
  await app.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
  return seedJob(app.dataSource, { units: 1, accountId: scientist.accountId, ...seed });
}

async function aTask(host: TestHost): Promise<TaskAssignment> {
  const { tasks, noWork } = await host.ask();
  if (!tasks[0]) throw new Error(`no task: ${JSON.stringify(noWork)}`);
  return tasks[0];
}

async function stateOf({ firstUnitId }: Pick<SeededJob, 'firstUnitId'>): Promise<string> {
  const [unit]: Array<{ state: string }> = await app.dataSource.query(
    'SELECT state FROM work_unit WHERE id = $1',
    [firstUnitId],
  );
  return unit?.state ?? 'none';
}

const becomes = (job: SeededJob) => expect.poll(() => stateOf(job), { timeout: 25_000 });

/** A result with one output of these bytes, sent along unless `withheld`. */
function resultWith(task: TaskAssignment, bytes: Buffer, withheld = false): ResultReport {
  const output = { name: 'stdout', size: bytes.length, sha256: sha256(bytes) };
  const result = { outcome: 'ok' as const, exitCode: 0, cycles: '5000', outputs: [output] };
  return {
    ...result,
    taskId: task.taskId,
    outputs: [withheld ? output : { ...output, base64: bytes.toString('base64') }],
    digest: sha256(resultDigestText(result)),
    runtimeVersion: RUNTIME,
  };
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function heartbeat(host: TestHost, body: object): Promise<HeartbeatResponse> {
  return host.post<HeartbeatResponse>('/v1/heartbeat', body);
}

describe('outputs', () => {
  it('beyond the row limit are kept as blobs, and the losing ones are let go', async () => {
    const job = await aJob();
    const bytes = Buffer.alloc(40_000, 'x');
    for (const host of [await aVolunteer(), await aVolunteer()]) {
      await host.report(resultWith(await aTask(host), bytes));
    }
    await becomes(job).toBe('valid');
    const owners = async (): Promise<number> => {
      const rows: unknown[] = await app.dataSource.query(
        "SELECT FROM blob_reference WHERE owner_kind = 'task' AND sha256 = decode($1, 'hex')",
        [sha256(bytes)],
      );
      return rows.length;
    };
    await expect.poll(owners).toBe(1);
  });

  it('too large to send along are asked for after agreement, and the unit is valid once they came', async () => {
    const job = await aJob();
    const bytes = Buffer.alloc(100_000, 'y');
    const hosts = [await aVolunteer(), await aVolunteer()];
    for (const host of hosts) await host.report(resultWith(await aTask(host), bytes, true));
    await becomes(job).toBe('awaiting-output');
    const asked = async (): Promise<Array<{ host: TestHost; url: string }>> => {
      const answers = await Promise.all(hosts.map((host) => host.work()));
      return answers.flatMap(({ outputsWanted }, at) =>
        outputsWanted.map(({ uploadUrl }) => ({ host: hosts[at]!, url: uploadUrl })),
      );
    };
    await expect.poll(asked, { timeout: 10_000 }).toHaveLength(1);
    const [wanted] = await asked();
    const put = (content: Buffer): Promise<Response> =>
      fetch(new URL(wanted!.url, app.url), {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${wanted!.host.attached.secret}`,
          'content-type': 'application/octet-stream',
        },
        body: new Uint8Array(content),
      });
    expect((await put(Buffer.alloc(100_000, 'z'))).status).toBe(400);
    expect(await stateOf(job)).toBe('awaiting-output');
    expect((await put(bytes)).status).toBe(204);
    await becomes(job).toBe('valid');
  });

  it('that do not come in time are asked from the next agreeing host', async () => {
    const job = await aJob();
    const bytes = Buffer.alloc(100_000, 'w');
    for (const host of [await aVolunteer(), await aVolunteer()]) {
      await host.report(resultWith(await aTask(host), bytes, true));
    }
    await becomes(job).toBe('awaiting-output');
    const asked = async (): Promise<number> => {
      const [unit]: Array<{ canonical_ordinal: number }> = await app.dataSource.query(
        'SELECT canonical_ordinal FROM work_unit WHERE id = $1',
        [job.firstUnitId],
      );
      return unit?.canonical_ordinal ?? -1;
    };
    const first = await asked();
    await app.dataSource.query(
      "UPDATE work_unit SET upload_until = now() - interval '1 second' WHERE id = $1",
      [job.firstUnitId],
    );
    await expect.poll(asked, { timeout: 25_000 }).not.toBe(first);
    expect(await stateOf(job)).toBe('awaiting-output');
  });
});

describe('tasks in progress', () => {
  it('are kept while they are wanted, and aborted once their unit is settled', async () => {
    await aJob({ replication: { quorum: 1, maxTasks: 3 } });
    const [slow, fast] = [await aVolunteer(), await aVolunteer()];
    const task = await aTask(slow);
    expect((await heartbeat(slow, { running: [{ taskId: task.taskId }] })).tasks).toEqual([
      { taskId: task.taskId, action: 'keep' },
    ]);
    await heartbeat(slow, { running: [], returned: [task.taskId] });
    await fast.report(honestResult(await aTask(fast)));
    await expect
      .poll(async () => (await heartbeat(slow, { running: [{ taskId: task.taskId }] })).tasks[0]?.action, {
        timeout: 15_000,
      })
      .toBe('abort');
  });

  it('go to another account at once when their host leaves', async () => {
    const job = await aJob({ replication: { quorum: 1 } });
    const [leaving, staying] = [await aVolunteer(), await aVolunteer()];
    await aTask(leaving);
    expect((await staying.work({ request: { maxTasks: 1, memoryMiB: 4096, cores: 1 } })).tasks).toEqual([]);
    await heartbeat(leaving, { running: [], leaving: true });
    await staying.report(honestResult(await aTask(staying)));
    await becomes(job).toBe('valid');
  });

  it('of a browser end with its lease, which heartbeats extend', async () => {
    const job = await aJob({ replication: { quorum: 1 } });
    await app.dataSource.query(
      'UPDATE app_version SET stepping = true WHERE id = (SELECT app_version_id FROM job WHERE id = $1)',
      [job.jobId],
    );
    const tab = await aVolunteer('browser');
    const task = await aTask(tab);
    const leaseMs = async (): Promise<number> => {
      const [lease]: Array<{ ms: number }> = await app.dataSource.query(
        'SELECT (extract(epoch FROM expires_at - now()) * 1000)::float8 AS ms FROM lease WHERE unit_id = $1',
        [job.firstUnitId],
      );
      return lease?.ms ?? 0;
    };
    expect(await leaseMs()).toBeLessThanOrEqual(600_000);
    await app.dataSource.query(
      "UPDATE lease SET expires_at = now() + interval '1 minute' WHERE unit_id = $1",
      [job.firstUnitId],
    );
    await heartbeat(tab, { running: [{ taskId: task.taskId }] });
    expect(await leaseMs()).toBeGreaterThan(500_000);
    await app.dataSource.query(
      "UPDATE lease SET expires_at = now() - interval '1 second' WHERE unit_id = $1",
      [job.firstUnitId],
    );
    const other = await aVolunteer();
    await expect.poll(async () => (await other.ask(1, 4096, 1)).tasks.length, { timeout: 30_000 }).toBe(1);
  });

  it('that were lost still count when their result comes before the unit settles', async () => {
    const job = await aJob();
    const [late, other] = [await aVolunteer(), await aVolunteer()];
    const task = await aTask(late);
    await app.dataSource.query(
      "UPDATE lease SET expires_at = now() - interval '1 second' WHERE unit_id = $1",
      [job.firstUnitId],
    );
    await expect
      .poll(
        async () => {
          const rows: Array<{ state: string }> = await app.dataSource.query(
            'SELECT state FROM task WHERE unit_id = $1 AND ordinal = 0 OR unit_id = $1 AND ordinal = 1',
            [job.firstUnitId],
          );
          return rows.map(({ state }) => state);
        },
        { timeout: 25_000 },
      )
      .toContain('lost');
    expect((await late.report(honestResult(task))).reports[0]?.status).toBe('accepted');
    await other.report(honestResult(await aTask(other)));
    await becomes(job).toBe('valid');
  });

  describe.each(['valid', 'cancelled'])(
    'of a unit that was %s by a decision that did not see them',
    (state) => {
      async function anUnwantedTask(): Promise<{
        host: TestHost;
        task: TaskAssignment;
        left: () => Promise<unknown>;
      }> {
        const job = await aJob();
        const host = await aVolunteer();
        const task = await aTask(host);
        await app.dataSource.query('UPDATE work_unit SET state = $2, settled_at = now() WHERE id = $1', [
          job.firstUnitId,
          state,
        ]);
        const left = (): Promise<unknown> =>
          app.dataSource.query(
            `SELECT t.state, count(l.*)::int AS leases FROM task t LEFT JOIN lease l USING (unit_id, ordinal)
            WHERE t.unit_id = $1 GROUP BY t.state`,
            [job.firstUnitId],
          );
        return { host, task, left };
      }

      it('are broken off when their host next says that it computes them', async () => {
        const { host, task, left } = await anUnwantedTask();
        const { tasks } = await heartbeat(host, { running: [{ taskId: task.taskId }] });
        const reason = `the work unit is ${state}; its result is no longer needed`;
        expect(tasks).toEqual([{ taskId: task.taskId, action: 'abort', reason }]);
        expect(await left()).toEqual([{ state: 'aborted', leases: 0 }]);
      });

      it('are taken from a host that says nothing, long before their deadline', async () => {
        const { left } = await anUnwantedTask();
        await expect.poll(left, { timeout: 60_000 }).toEqual([{ state: 'aborted', leases: 0 }]);
      });
    },
  );

  it('whose answer got lost are given to others once their idle host says what it holds', async () => {
    const job = await aJob({ replication: { quorum: 1 } });
    const [forgetful, other] = [await aVolunteer(), await aVolunteer()];
    await aTask(forgetful);
    await app.dataSource.query(
      "UPDATE task SET assigned_at = now() - interval '1 minute' WHERE unit_id = $1",
      [job.firstUnitId],
    );
    await forgetful.work({ holding: [], request: { maxTasks: 1, memoryMiB: 4096, cores: 1 } });
    await other.report(honestResult(await aTask(other)));
    await becomes(job).toBe('valid');
  });
});

describe('jobs', () => {
  it('pause with their reason when too many of their first units fail', async () => {
    const { jobId } = await aJob({ units: 12, replication: { quorum: 1, maxErrors: 1 } });
    const host = await aVolunteer();
    for (let done = 0; done < 3;) {
      const { tasks } = await host.ask(1);
      for (const task of tasks) {
        const result = { outcome: 'exit' as const, exitCode: 3, cycles: '10', outputs: [] };
        await host.report({
          ...result,
          taskId: task.taskId,
          digest: sha256(resultDigestText(result)),
          runtimeVersion: RUNTIME,
        });
        done += 1;
      }
    }
    const job = async (): Promise<{ state: string; state_reason: string | null } | undefined> => {
      const rows: Array<{ state: string; state_reason: string | null }> = await app.dataSource.query(
        'SELECT state, state_reason FROM job WHERE id = $1',
        [jobId],
      );
      return rows[0];
    };
    await expect.poll(job, { timeout: 20_000 }).toMatchObject({ state: 'paused' });
    expect((await job())?.state_reason).toMatch(/units failed \(more than 20 %/);
  });

  it('are paused with the decision that makes them fail too often, or neither happens', async () => {
    const { jobId, firstUnitId } = await aJob({ units: 1, replication: { quorum: 1, maxErrors: 1 } });
    await app.dataSource.query(
      `CREATE FUNCTION refuse_pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
       CREATE TRIGGER refuse_pause BEFORE UPDATE ON job FOR EACH ROW WHEN (NEW.state = 'paused')
         EXECUTE FUNCTION refuse_pause()`,
    );
    const host = await aVolunteer();
    const result = { outcome: 'exit' as const, exitCode: 3, cycles: '10', outputs: [] };
    const { taskId } = await aTask(host);
    const digest = sha256(resultDigestText(result));
    await host.report({ ...result, taskId, digest, runtimeVersion: RUNTIME });
    const validation = app.app.get(ValidationService);
    await expect(validation.examine([firstUnitId])).rejects.toThrow('no');
    expect(await stateOf({ firstUnitId })).toBe('open');
    await app.dataSource.query('DROP TRIGGER refuse_pause ON job; DROP FUNCTION refuse_pause');
    await validation.examine([firstUnitId]);
    expect(await stateOf({ firstUnitId })).toBe('failed');
    const jobs: unknown = await app.dataSource.query('SELECT state FROM job WHERE id = $1', [jobId]);
    expect(jobs).toEqual([{ state: 'paused' }]);
  });

  it('go on for a single volunteer, although each of its units waits for a second one', async () => {
    await aJob({ units: 900 });
    const host = await aVolunteer();
    await app.dataSource.query('UPDATE host_standing SET allowance_per_day = 10000 WHERE host_id = $1', [
      host.attached.hostId,
    ]);
    let done = 0;
    await expect
      .poll(
        async () => {
          const { tasks } = await host.ask(32, 4096, 1);
          if (tasks.length > 0) await host.report(...tasks.map((task) => honestResult(task)));
          done += tasks.length;
          return done;
        },
        { timeout: 60_000, interval: 50 },
      )
      .toBe(900);
  });

  it('share the volunteers by their weights', async () => {
    await app.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
    const [heavy, light] = [
      await seedJob(app.dataSource, { units: 4000, accountId: scientist.accountId, share: 3 }),
      await seedJob(app.dataSource, { units: 4000, accountId: scientist.accountId, share: 1 }),
    ];
    await expect
      .poll(
        async () => {
          // Tickets of the jobs that earlier tests put aside make room when somebody asks who has room for tasks.
          await (await aVolunteer()).work({ request: { maxTasks: 1, memoryMiB: 4096, cores: 1 } });
          const rows: Array<{ job_id: string; units: number }> = await app.dataSource.query(
            `SELECT job_id, count(*)::int AS units FROM work_unit WHERE job_id IN ($1, $2) AND ticketed_at IS NOT NULL
              GROUP BY job_id`,
            [heavy.jobId, light.jobId],
          );
          const units = new Map(rows.map((row) => [Number(row.job_id), row.units]));
          return (units.get(heavy.jobId) ?? 0) / (units.get(light.jobId) ?? 1);
        },
        { timeout: 45_000 },
      )
      .toBeGreaterThan(2);
  }, 60_000);
});

describe('requests that make no sense', () => {
  it('are answered with a problem that says where', async () => {
    const host = await aVolunteer();
    const bad = (body: object): Promise<Response> =>
      fetch(new URL('/v1/work', app.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${host.attached.secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const response = await bad({
      protocol: 1,
      runtimeVersions: [RUNTIME],
      reports: [{ taskId: 'x' }],
      extra: 1,
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const problem = (await response.json()) as { errors: Array<{ pointer: string }> };
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/reports/0/taskId', '/extra']),
    );
    expect((await bad({ protocol: 99, runtimeVersions: [RUNTIME] })).status).toBe(400);
    const tooOld = await bad({ protocol: 0, runtimeVersions: [RUNTIME] });
    expect(tooOld.status).toBe(426);
    const advice = (await tooOld.json()) as { code: string; detail: string };
    expect(advice.code).toBe('agent-too-old');
    expect(advice.detail).toContain('update');
  });

  it('need the token of a host', async () => {
    const response = await fetch(new URL('/v1/work', app.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${scientist.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ protocol: 1, runtimeVersions: [RUNTIME] }),
    });
    expect(response.status).toBe(403);
  });

  it('name the memory that is missing', async () => {
    await aJob({ memoryMiB: 512 });
    const host = await aVolunteer();
    await expect
      .poll(async () => (await host.ask(1, 256, 1)).noWork)
      .toContainEqual({
        code: 'memory-too-small',
        count: 1,
        message: '1 unit needs 512 MiB, you offer 256',
      });
  });
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { followPublicJob } from '@gleaner/client';
import { BlobsService } from '@gleaner/coordinator';
import { createdToken, problem, publicJobPage, publicJobView, siteStats } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { aPerson, createTestApplication, operatorOf, Rival, type TestApplication } from '../support/index.js';
import { repositoryRoot } from './repository-root.js';
import { aSetiJob, type SetiJob } from './seti-job.js';

setFlagsFromString('--expose-gc');
const collectGarbage = z
  .custom<() => void>((value) => typeof value === 'function')
  .parse(runInNewContext('gc'));

describe('what everybody may see', () => {
  let gleaner: TestApplication;
  let job: SetiJob;
  beforeAll(async () => {
    gleaner = await createTestApplication({ env: { GLEANER_TRUST_PROXY: 'true' } });
    job = await aSetiJob(gleaner, { name: 'Public search', units: 5, unitChirps: 2 });
    const isSplit = { job: { state: 'running' }, picture: { squares: 'ooooo' } };
    await vi.waitFor(async () => expect(await view()).toMatchObject(isSplit), { timeout: 60_000 });
  });
  afterAll(() => gleaner.close());

  async function view() {
    return publicJobView.parse((await gleaner.http.get(`/v1/public/jobs/${job.jobId}`).expect(200)).body);
  }

  it('is a running job with its project and a square for each unit, and neither inputs nor results', async () => {
    const answer = await gleaner.http.get('/v1/public/jobs?running=true').expect(200);
    const [shown] = publicJobPage.parse(answer.body).items;
    expect(shown).toMatchObject({
      name: 'Public search',
      state: 'running',
      project: { name: 'SETI Classic' },
    });
    expect(answer.text).not.toContain('sha256:');
    const stats = siteStats.parse((await gleaner.http.get('/v1/stats').expect(200)).body);
    expect(stats.now.runningJobs).toBe(1);
  });

  it('is told by events as it changes, without repeating what a reader has seen', async () => {
    const first = await follow({}, (text) => text.includes('event: job'));
    const id = /^id: (.+)$/m.exec(first)?.[1] ?? '';
    const following = follow({ 'last-event-id': id }, (text) => text.includes('event: job'));
    await job.scientist.post(`/v1/jobs/${job.jobId}/pause`).expect(200);
    const events = (await following).split('event: job').slice(1);
    expect(events).toHaveLength(1);
    expect(events[0]).toContain('"state":"paused"');
    await job.scientist.post(`/v1/jobs/${job.jobId}/resume`).expect(200);
  });

  it('is told to the generated client as typed events', async () => {
    const stop = new AbortController();
    const { stream } = await followPublicJob({
      baseUrl: gleaner.url,
      path: { id: job.jobId },
      signal: stop.signal,
    });
    const first = await stream.next();
    stop.abort();
    expect(publicJobView.parse(first.value).job.id).toBe(job.jobId);
  });

  it('is nothing once its scientist hides it, whom nobody else can stand in for', async () => {
    const stranger = await aPerson(gleaner);
    const path = `/v1/jobs/${job.jobId}/visibility`;
    await stranger.put(path).send({ public: false }).expect(404);
    const colleague = await aPerson(gleaner);
    await operatorOf(gleaner)
      .post(`/v1/projects/${job.project}/scientists`, { accountId: colleague.account.id })
      .expect(204);
    const refused = problem.parse((await colleague.put(path).send({ public: false }).expect(403)).body);
    expect(refused.detail).toContain('another scientist');
    await job.scientist.put(path).send({ public: false }).expect(204);
    await expect.poll(async () => (await gleaner.http.get(`/v1/public/jobs/${job.jobId}`)).status).toBe(404);
    await gleaner.http.get(`/v1/public/jobs/${job.jobId}/events`).expect(404);
    await job.scientist.put(path).send({ public: true }).expect(204);
  });

  it('is there for its scientist, and for nobody else, while it is hidden', async () => {
    const path = `/v1/jobs/${job.jobId}/visibility`;
    await job.scientist.put(path).send({ public: false }).expect(204);
    const stranger = await aPerson(gleaner);
    await expect.poll(async () => (await stranger.get(`/v1/public/jobs/${job.jobId}`)).status).toBe(404);
    const own = await job.scientist.get(`/v1/public/jobs/${job.jobId}`).expect(200);
    expect(publicJobView.parse(own.body).job.visibility).toEqual({ public: false, results: false });
    await job.scientist.put(path).send({ public: true }).expect(204);
  });

  it('is told no more to a browser of its scientist that was signed out while it is hidden', async () => {
    const path = `/v1/jobs/${job.jobId}/visibility`;
    await job.scientist.put(path).send({ public: false }).expect(204);
    const wish = { label: 'a browser', scopes: ['submit'] };
    const made = await job.scientist.post('/v1/tokens', wish).expect(201);
    const { token, secret } = createdToken.parse(made.body);
    const begun = Promise.withResolvers<void>();
    const told = follow({ authorization: `Bearer ${secret}` }, (text) => {
      if (text.includes('event: job')) begun.resolve();
      return text.includes('"state":"paused"');
    });
    await begun.promise;
    await job.scientist.delete(`/v1/tokens/${token.id}`).expect(204);
    await job.scientist.post(`/v1/jobs/${job.jobId}/pause`).expect(200);
    expect(await told).not.toContain('"state":"paused"');
    await job.scientist.post(`/v1/jobs/${job.jobId}/resume`).expect(200);
    await job.scientist.put(path).send({ public: true }).expect(204);
  });

  it('shows its answer when its scientist shows that too, and not before', async () => {
    await gleaner.http.get(`/v1/public/jobs/${job.jobId}/output`).expect(404);
    const stored = await gleaner.app.get(BlobsService).storeBytes(Buffer.from('{"type":"spike"}\n'), {
      accountId: null,
    });
    await gleaner.dataSource.query('UPDATE job SET output_sha256 = $2 WHERE id = $1', [
      job.jobId,
      Buffer.from(stored.sha256, 'hex'),
    ]);
    await gleaner.http.get(`/v1/public/jobs/${job.jobId}/output`).expect(403);
    const path = `/v1/jobs/${job.jobId}/visibility`;
    await job.scientist.put(path).send({ public: true, results: true }).expect(204);
    const answer = await gleaner.http.get(`/v1/public/jobs/${job.jobId}/output`).buffer().expect(200);
    expect(Buffer.from(answer.body as Buffer).toString()).toBe('{"type":"spike"}\n');
    await job.scientist.put(path).send({ public: false }).expect(204);
    await gleaner.http.get(`/v1/public/jobs/${job.jobId}/output`).expect(404);
    await job.scientist.put(path).send({ public: true, results: false }).expect(204);
    await gleaner.dataSource.query('UPDATE job SET output_sha256 = NULL WHERE id = $1', [job.jobId]);
  });

  it('is told to who joins as it is now, however long it took to see that they may join', async () => {
    await untilShown();
    // Whether it is the caller's job is looked up there, and nothing else.
    await using rival = await Rival.holding(
      gleaner.dataSource,
      'LOCK TABLE project_scientist IN ACCESS EXCLUSIVE MODE',
    );
    const early = follow({}, (text) => text.includes('"stateReason":"as a test"'));
    const authorization = `Bearer ${job.scientist.token}`;
    const late = follow({ authorization }, (text) => text.includes('"stateReason":"as a test"'));
    await rival.isWaitedForBy(1);
    await gleaner.dataSource.query("UPDATE job SET state_reason = 'as a test' WHERE id = $1", [job.jobId]);
    expect(await early).toContain('as a test');
    await rival.commit();
    expect(await late).toContain('as a test');
    await gleaner.dataSource.query('UPDATE job SET state_reason = NULL WHERE id = $1', [job.jobId]);
  });

  it('is told to who joins as soon as it is shown, also while its scientist has followed it unseen', async () => {
    const path = `/v1/jobs/${job.jobId}/visibility`;
    const authorization = `Bearer ${job.scientist.token}`;
    for (let times = 0; times < 4; times += 1) {
      await job.scientist.put(path).send({ public: false }).expect(204);
      await expect
        .poll(async () => (await gleaner.http.get(`/v1/public/jobs/${job.jobId}`)).status)
        .toBe(404);
      await follow({ authorization }, (text) => text.includes('"public":false'));
      await job.scientist.put(path).send({ public: true }).expect(204);
      await untilShown();
      expect(await follow({}, (text) => text.includes('"public":true'))).toContain('"public":true');
    }
  });

  it('costs little, with 500 who follow and never read although much happens', async () => {
    await untilShown();
    // 30 KB in each event.
    await gleaner.dataSource.query("UPDATE project SET description = repeat('銀', 10000)");
    const before = memoryMiB();
    const sleepers = await Promise.all(Array.from({ length: 500 }, () => join()));
    expect(sleepers.map(({ head }) => head.split('\r\n')[0])).toEqual(sleepers.map(() => 'HTTP/1.1 200 OK'));
    for (let change = 1; change <= 5; change += 1) {
      const told = follow({}, (text) => text.includes(`"stateReason":"change ${change}"`));
      await gleaner.dataSource.query('UPDATE job SET state_reason = $2 WHERE id = $1', [
        job.jobId,
        `change ${change}`,
      ]);
      // Who reads is told, whatever the others do.
      expect(await told).toContain(`change ${change}`);
    }
    const grownMiB = memoryMiB() - before;
    for (const { socket } of sleepers) socket.destroy();
    // What they may be behind, one event more, and what a connection costs by itself.
    expect(grownMiB).toBeLessThan(128);
  });

  it('is followed by one network only so many times at once, whichever of its addresses ask', async () => {
    await untilShown();
    const from = (n: number): string => `X-Forwarded-For: 2001:db8:7:${n}::1\r\n`;
    const followers = await Promise.all(Array.from({ length: 600 }, (_, n) => join(from(n))));
    expect(followers.every(({ head }) => head.startsWith('HTTP/1.1 200'))).toBe(true);
    const refused = await join(from(9999));
    expect(refused.head).toMatch(/^HTTP\/1\.1 429[^]*retry-after: 30/i);
    const elsewhere = await join('X-Forwarded-For: 2001:db8:8::1\r\n');
    expect(elsewhere.head).toMatch(/^HTTP\/1\.1 200/);
    for (const { socket } of [...followers, refused, elsewhere]) socket.destroy();
  });

  async function untilShown(): Promise<void> {
    await expect.poll(async () => (await gleaner.http.get(`/v1/public/jobs/${job.jobId}`)).status).toBe(200);
  }

  /** A follower that reads the beginning of the answer, and then never again. */
  async function join(header = ''): Promise<{ socket: Socket; head: string }> {
    const socket = connect(gleaner.coordinator.port, '127.0.0.1').on('error', () => undefined);
    socket.write(`GET /v1/public/jobs/${job.jobId}/events HTTP/1.1\r\nHost: local\r\n${header}\r\n`);
    let head = '';
    while (!head.includes('\r\n\r\n')) {
      const [data] = z.tuple([z.instanceof(Buffer)]).parse(await once(socket, 'data'));
      head += data.toString('latin1');
    }
    return { socket: socket.pause(), head };
  }

  /** What a job's stream says until it has said enough. */
  async function follow(
    headers: Record<string, string>,
    isEnough: (text: string) => boolean,
  ): Promise<string> {
    const stop = new AbortController();
    const url = `${gleaner.url}/v1/public/jobs/${job.jobId}/events`;
    const response = await fetch(url, { headers, signal: stop.signal });
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    let text = '';
    while (!isEnough(text) || !text.endsWith('\n\n')) {
      const read = await reader?.read();
      if (read?.done !== false) break;
      text += decoder.decode(read.value, { stream: true });
    }
    stop.abort();
    return text;
  }
});

/** What is still in use: garbage says nothing. */
function memoryMiB(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

it('the generated client speaks of everything that the coordinator serves, and of nothing else', async () => {
  const gleaner = await createTestApplication();
  try {
    const served = await gleaner.http.get('/v1/openapi.json').expect(200);
    // Where it differs, run this test with `--update`, and then `npm run generate -w libs/client`.
    // A member a line, so that a change of the API is a change of a few lines.
    const document = `${JSON.stringify(served.body, null, 2)}\n`;
    await expect(document).toMatchFileSnapshot(`${repositoryRoot()}/libs/client/openapi.json`);
  } finally {
    await gleaner.close();
  }
});

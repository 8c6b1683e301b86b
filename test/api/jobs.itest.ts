import { randomBytes, randomUUID } from 'node:crypto';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { STREAMS_PER_ACCOUNT } from '@gleaner/coordinator';
import {
  createdToken,
  job as jobSchema,
  jobPage,
  problem,
  UNIT_STATES,
  unitResultPage,
} from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { anInput } from '../e2e/volunteering/science.js';
import { aPerson, operatorOf } from '../support/index.js';
import { ScientistDesk } from './scientist-desk.js';

let desk: ScientistDesk;
beforeAll(async () => {
  desk = await ScientistDesk.open();
});
afterAll(() => desk.close());

describe('a job', () => {
  it('is seen by its submitter and by operators, newest first', async () => {
    const [older, newer] = [await desk.submit({ name: 'older' }), await desk.submit({ name: 'newer' })];
    const page = jobPage.parse((await desk.science.scientist.get('/v1/jobs?limit=2').expect(200)).body);
    expect(page.items.map(({ id }) => id)).toEqual([newer.id, older.id]);
    await operatorOf(desk.gleaner).get(`/v1/jobs/${older.id}`).expect(200);
    const stranger = await aPerson(desk.gleaner);
    await stranger.get(`/v1/jobs/${older.id}`).expect(404);
    await stranger.post(`/v1/jobs/${older.id}/cancel`).expect(404);
    await stranger.delete(`/v1/jobs/${older.id}`).expect(404);
    expect(jobPage.parse((await stranger.get('/v1/jobs')).body).items).toEqual([]);
    await desk.science.scientist.get('/v1/jobs/not-a-number').expect(400);
    await desk.science.scientist.get('/v1/jobs/999999999').expect(404);
  });

  it('of another scientist of the project can be looked at, and is changed by its submitter and operators', async () => {
    const { id } = await desk.submit({ name: "a colleague's" });
    const colleague = await aPerson(desk.gleaner);
    await operatorOf(desk.gleaner)
      .post(`/v1/projects/${desk.science.project}/scientists`, { accountId: colleague.account.id })
      .expect(204);
    await colleague.get(`/v1/jobs/${id}`).expect(200);
    const refused = problem.parse((await colleague.post(`/v1/jobs/${id}/cancel`).expect(403)).body);
    expect(refused.detail).toBe(`Job ${id} is another scientist's: you may look at it, not change it.`);
    await colleague.delete(`/v1/jobs/${id}`).expect(403);
    expect((await desk.look(id)).state).not.toBe('cancelled');
  });

  it('comes in shorter pages where job files are large, and none is left out', async () => {
    const { scientist } = desk.science;
    const v = Array.from({ length: 20_000 }, () => randomBytes(32).toString('hex'));
    const large = [];
    for (let n = 0; n < 2; n += 1) {
      const { id } = await desk.submit({ split: [{ kind: 'grid', name: 'n', lists: { from: v } }] });
      await scientist.post(`/v1/jobs/${id}/cancel`).expect(200);
      large.unshift(id);
    }
    const first = jobPage.parse((await scientist.get('/v1/jobs?limit=2').expect(200)).body);
    expect(first.items.map(({ id }) => id)).toEqual(large.slice(0, 1));
    const cursor = first.nextCursor ?? '';
    const next = jobPage.parse((await scientist.get(`/v1/jobs?limit=1&cursor=${cursor}`).expect(200)).body);
    expect(next.items.map(({ id }) => id)).toEqual(large.slice(1));
  });

  it('pauses, resumes and is cancelled, each as often as one likes', async () => {
    const { id } = await desk.submit();
    await desk.untilState(id, 'running');
    for (const [action, state] of [
      ['pause', 'paused'],
      ['pause', 'paused'],
      ['resume', 'running'],
      ['resume', 'running'],
      ['cancel', 'cancelled'],
      ['cancel', 'cancelled'],
    ] as const) {
      const answer = await desk.science.scientist.post(`/v1/jobs/${id}/${action}`).expect(200);
      expect(jobSchema.parse(answer.body).state).toBe(state);
    }
    const late = await desk.science.scientist.post(`/v1/jobs/${id}/resume`).expect(409);
    expect(late.body).toMatchObject({ code: 'wrong-state' });
    await desk.until(id, (job) =>
      expect(job).toMatchObject({ units: { open: 0, cancelled: 10 }, progressPermille: 0 }),
    );
  });

  it('says that it waits for an operator as long as its app is not approved', async () => {
    const approve = async (at: string): Promise<unknown> =>
      await desk.gleaner.dataSource.query(`UPDATE app_version SET approved_at = ${at}`);
    const { id } = await desk.submit();
    await desk.untilState(id, 'running');
    expect((await desk.look(id)).stateReason).toBeNull();
    await approve('NULL');
    const reason = `${desk.science.app} is not approved: until an operator approves it, it runs only on its submitter's own hosts`;
    expect(await desk.look(id)).toMatchObject({ state: 'running', stateReason: reason });
    await desk.science.scientist.post(`/v1/jobs/${id}/pause`).expect(200);
    expect((await desk.look(id)).stateReason).toBe('paused on request');
    await approve('now()');
  });

  it('says what most of its blocked units wait for', async () => {
    const { id } = await desk.submit();
    await desk.until(id, ({ units }) => expect(units.open).toBe(10));
    // As of tickets that have just gone out, which the sweep leaves alone for a while: with cancelled jobs' on the queue none need come.
    await desk.gleaner.dataSource.query(
      `UPDATE work_unit SET ticketed_at = now(), blocked = CASE WHEN index_in_job = 0 THEN 'one thing' ELSE 'another' END
        WHERE job_id = $1 AND index_in_job < 3`,
      [id],
    );
    expect(await desk.look(id)).toMatchObject({ units: { blocked: 3 }, blockedReason: 'another' });
    const list = jobPage.parse((await desk.science.scientist.get('/v1/jobs?limit=1').expect(200)).body);
    expect(list.items[0]?.blockedReason).toBe('another');
  });

  it('has no output before it is completed, and keeps its units’ results to itself while it runs', async () => {
    const { id } = await desk.submit();
    await desk.untilState(id, 'running');
    const early = await desk.science.scientist.get(`/v1/jobs/${id}/output`).expect(409);
    expect(problem.parse(early.body).detail).toContain('running');
    const first = await desk.science.scientist.get(`/v1/jobs/${id}/results?limit=4`).expect(200);
    const page = unitResultPage.parse(first.body);
    expect(page.items.map(({ index, params }) => [index, params])).toEqual(
      [0, 1, 2, 3].map((n) => [n, { n: { from: n, to: n + 1, index: n } }]),
    );
    const rest = unitResultPage.parse(
      (await desk.science.scientist.get(`/v1/jobs/${id}/results?cursor=${page.nextCursor ?? ''}`).expect(200))
        .body,
    );
    expect(rest.items).toHaveLength(6);
    await desk.science.scientist.get(`/v1/jobs/${id}/results?state=lost`).expect(400);
    for (const state of UNIT_STATES) {
      const of = await desk.science.scientist.get(`/v1/jobs/${id}/results?state=${state}`).expect(200);
      expect(unitResultPage.parse(of.body).items, state).toHaveLength(state === 'open' ? 10 : 0);
    }
  });

  it('is forgotten when deleted, running or not, and its inputs are no longer referenced', async () => {
    const input = await anInput(desk.science, Buffer.from(randomUUID()));
    const { id } = await desk.submit({ inputs: { tape: input } });
    await desk.untilState(id, 'running');
    await desk.science.scientist.delete(`/v1/jobs/${id}`).expect(204);
    await desk.science.scientist.get(`/v1/jobs/${id}`).expect(404);
    await desk.science.scientist.delete(`/v1/jobs/${id}`).expect(404);
    const blob = async (): Promise<unknown> =>
      (await desk.science.scientist.get(`/v1/blobs/${input}`).expect(200)).body;
    await expect.poll(blob).toMatchObject({ references: 0 });
  });
});

describe('the events of a job', () => {
  it('is followed by one account only so many times at once, and again when one has left', async () => {
    const { id } = await desk.submit();
    await desk.untilState(id, 'running');
    const followers = await Promise.all(Array.from({ length: STREAMS_PER_ACCOUNT }, () => follow(id)));
    expect(followers.map(({ statusCode }) => statusCode)).toEqual(followers.map(() => 200));
    const refused = await desk.science.scientist.get(`/v1/jobs/${id}/events`).expect(429);
    expect(problem.parse(refused.body).detail).toMatch(/32 streams.*close one/);
    expect(refused.headers['retry-after']).toBe('30');
    const closed = await vi.waitFor(
      async () => {
        followers.shift()?.destroy();
        const again = await follow(id);
        followers.push(again);
        expect(again.statusCode).toBe(200);
        return again;
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(closed.headers).toMatchObject({
      'content-type': expect.stringContaining('text/event-stream') as string,
      'x-content-type-options': 'nosniff',
    });
    for (const follower of followers) follower.destroy();
  });

  it('tells its progress as events, and what a client has seen not again', async () => {
    const { id } = await desk.submit();
    const seen = await desk.untilState(id, 'running');
    const stream = await openEvents(id);
    const first = await stream.next('job');
    const told = jobSchema.parse(JSON.parse(first.data));
    expect([told.id, told.state, told.units.total]).toEqual([id, 'running', seen.units.total]);
    await desk.science.scientist.post(`/v1/jobs/${id}/cancel`).expect(200);
    const ended = await stream.next('end');
    expect(ended.data).toBe('{"state":"cancelled"}');
    await desk.until(id, ({ units }) => expect(units.cancelled).toBe(10));
    const again = await openEvents(id);
    const { id: eventId } = await again.next('job');
    const resumed = await openEvents(id, { 'last-event-id': eventId ?? '' });
    expect((await resumed.next()).event).toBe('end');
  });

  it('are told no more once the token is revoked that they were asked for with', async () => {
    const { scientist } = desk.science;
    const { id } = await desk.submit();
    await desk.untilState(id, 'running');
    const wish = { label: 'a screen', scopes: ['submit'] };
    const { token, secret } = createdToken.parse((await scientist.post('/v1/tokens', wish).expect(201)).body);
    const stream = await openEvents(id, { authorization: `Bearer ${secret}` });
    await stream.next('job');
    await scientist.delete(`/v1/tokens/${token.id}`).expect(204);
    await scientist.post(`/v1/jobs/${id}/pause`).expect(200);
    const told = async (): Promise<void> => {
      for (;;) expect((await stream.next('job')).data).not.toContain('"state":"paused"');
    };
    await expect(told()).rejects.toThrow('the stream ended');
  });
});

interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** The answer to whoever follows a job, as soon as it begins. */
function follow(jobId: string, more: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${desk.science.scientist.token}`, ...more };
    httpGet(`${desk.gleaner.url}/v1/jobs/${jobId}/events`, { headers }, resolve).on('error', reject);
  });
}

/** The events of a job; `next` skips those of other kinds. */
async function openEvents(
  jobId: string,
  headers?: Readonly<Record<string, string>>,
): Promise<{ next(kind?: string): Promise<ServerSentEvent> }> {
  const response = await follow(jobId, headers);
  expect(response.headers['content-type']).toContain('text/event-stream');
  response.setEncoding('utf8');
  const parts = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  let text = '';
  const readOne = async (): Promise<ServerSentEvent> => {
    for (let end = text.indexOf('\n\n'); end < 0; end = text.indexOf('\n\n')) {
      const part = await parts.next();
      if (part.done) throw new Error('the stream ended');
      text += part.value;
    }
    const end = text.indexOf('\n\n');
    const lines = text.slice(0, end).split('\n');
    text = text.slice(end + 2);
    const field = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    return { id: field('id'), event: field('event'), data: field('data') ?? '' };
  };
  return {
    next: async (kind) => {
      for (;;) {
        const event = await readOne();
        // A block without data, such as the one that says when to reconnect, is no event.
        if (event.data !== '' && (kind === undefined || event.event === kind)) return event;
      }
    },
  };
}

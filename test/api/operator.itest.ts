import { auditPage, operatorInbox, serverStatus } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aPerson, createTestApplication, operatorOf, type TestApplication } from '../support/index.js';
import { Community } from './community.js';

let community: Community;
let gleaner: TestApplication;
beforeAll(async () => {
  community = await Community.start();
  ({ gleaner } = community);
});
afterAll(() => gleaner.close());

describe('the operator', () => {
  it('pauses everything, tells every volunteer why, and goes on', async () => {
    const operator = operatorOf(gleaner);
    const machine = await community.aHost(await aPerson(gleaner));
    await operator.put('/v1/operator/dispatch-pause').send({ reason: 'moving to a larger disk' }).expect(200);
    const { noWork } = await machine.work({ request: { maxTasks: 1, memoryMiB: 1024 } });
    expect(noWork).toMatchObject([
      { code: 'dispatch-paused', message: 'the operator has paused all work: moving to a larger disk' },
    ]);
    await expect
      .poll(
        async () => serverStatus.parse((await gleaner.http.get('/v1/status')).body).dispatchPaused?.reason,
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
    const machine = await community.aHost(ada);
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

  it('sees a project of everybody before all those of one person', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const slugs = Array.from({ length: 100 }, (_, n) => `eve-${n}`);
    await gleaner.dataSource.query(
      "INSERT INTO project (slug, name, description, created_by) SELECT slug, 'Eve', '', $1 FROM unnest($2::text[]) slug",
      [eve.account.id, slugs],
    );
    await ada.post('/v1/projects', { slug: 'winds', name: 'Winds' }).expect(201);
    const inbox = operatorInbox.parse((await operatorOf(gleaner).get('/v1/operator/inbox')).body);
    expect(inbox.projects.slice(0, 3).map(({ slug }) => slug)).toEqual(['eve-0', 'winds', 'eve-1']);
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

describe('where there is no Redis', () => {
  it('everybody looks at all queues over a few connections', async () => {
    const ours = await createTestApplication();
    const connections = async (): Promise<number> => {
      const rows: unknown = await ours.dataSource.query(
        `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gleaner-queue'`,
      );
      return z.tuple([z.object({ count: z.number() })]).parse(rows)[0].count;
    };
    try {
      const before = await connections();
      const { queues } = serverStatus.parse((await ours.http.get('/v1/status').expect(200)).body);
      expect((await connections()) - before).toBeLessThan(queues?.length ?? 0);
    } finally {
      await ours.close();
    }
  });
});

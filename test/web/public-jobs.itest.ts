import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { BlobsService } from '@gleaner/coordinator';
import { publicJobPage, publicJobView, siteStats } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';
import { repositoryRoot } from './repository-root.js';
import { aSetiJob, type SetiJob } from './seti-job.js';

describe('what everybody may see', () => {
  let gleaner: TestApplication;
  let job: SetiJob;
  beforeAll(async () => {
    gleaner = await createTestApplication({ env: { GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE: '10000' } });
    job = await aSetiJob(gleaner, { name: 'Public search', units: 5, unitChirps: 2 });
    await vi.waitFor(async () => expect((await view()).picture.squares).toBe('ooooo'), { timeout: 20_000 });
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

  it('is nothing once its scientist hides it, whom nobody else can stand in for', async () => {
    const stranger = await aPerson(gleaner);
    const path = `/v1/jobs/${job.jobId}/visibility`;
    await stranger.put(path).send({ public: false }).expect(404);
    await job.scientist.put(path).send({ public: false }).expect(204);
    await expect
      .poll(async () => (await gleaner.http.get(`/v1/public/jobs/${job.jobId}`)).status, { timeout: 5_000 })
      .toBe(404);
    await gleaner.http.get(`/v1/public/jobs/${job.jobId}/events`).expect(404);
    await job.scientist.put(path).send({ public: true }).expect(204);
  });

  it('is there for its scientist, and for nobody else, while it is hidden', async () => {
    const path = `/v1/jobs/${job.jobId}/visibility`;
    await job.scientist.put(path).send({ public: false }).expect(204);
    const stranger = await aPerson(gleaner);
    await expect
      .poll(async () => (await stranger.get(`/v1/public/jobs/${job.jobId}`)).status, { timeout: 5_000 })
      .toBe(404);
    const own = await job.scientist.get(`/v1/public/jobs/${job.jobId}`).expect(200);
    expect(publicJobView.parse(own.body).job.visibility).toEqual({ public: false, results: false });
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

  it('costs little, with 500 who follow and never read', async () => {
    await expect
      .poll(async () => (await gleaner.http.get(`/v1/public/jobs/${job.jobId}`)).status, { timeout: 5_000 })
      .toBe(200);
    const sockets: Socket[] = [];
    const heapBefore = process.memoryUsage().heapUsed;
    for (let each = 0; each < 500; each += 1) {
      const socket = connect(gleaner.coordinator.port, '127.0.0.1').pause();
      await once(socket, 'connect');
      socket.write(`GET /v1/public/jobs/${job.jobId}/events HTTP/1.1\r\nHost: local\r\n\r\n`);
      sockets.push(socket);
    }
    // Another reader is served all the same.
    expect((await view()).job.name).toBe('Public search');
    const grownMiB = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
    for (const socket of sockets) socket.destroy();
    expect(grownMiB).toBeLessThan(64);
  });

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

it('the generated client speaks of nothing that the coordinator does not serve', async () => {
  const document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
  const gleaner = await createTestApplication();
  try {
    const served = document.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body).paths;
    const text = await readFile(`${repositoryRoot()}/libs/client/openapi.json`, 'utf8');
    const generated = document.parse(JSON.parse(text)).paths;
    const missing = Object.entries(generated).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => served[path]?.[method] === undefined)
        .map((method) => `${method} ${path}: run npm run generate -w libs/client`),
    );
    expect(missing).toEqual([]);
  } finally {
    await gleaner.close();
  }
});

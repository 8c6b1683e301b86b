import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { completePolicy } from '@gleaner/worker-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAttachments } from '../attachments.js';
import { anAttachment } from './attachment.fixture.js';
import { DataDirectory } from '../data-directory.js';
import { ProjectCrew } from './project-crew.js';

let directory: DataDirectory;
let server: Server;
let url: string;
/** Names of what the crew has logged. */
let logged: string[];
beforeEach(async () => {
  directory = new DataDirectory(await mkdtemp(join(tmpdir(), 'gleaner-crew-')));
  // A coordinator that never has work, and says so only when it is asked again.
  server = createServer((_request, response) => response.writeHead(503).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  logged = [];
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await rm(directory.path, { recursive: true, force: true });
});

async function crewOf(...hostIds: string[]): Promise<ProjectCrew> {
  await writeAttachments(
    directory,
    hostIds.map((hostId) => anAttachment(url, hostId)),
  );
  return ProjectCrew.open({
    directory,
    policy: completePolicy({ cores: 1 }),
    once: false,
    log: (event) => logged.push(event),
    onStatus: () => undefined,
  });
}

async function follow(crew: ProjectCrew, ...hostIds: string[]): Promise<void> {
  await writeAttachments(
    directory,
    hostIds.map((hostId) => anAttachment(url, hostId)),
  );
  await crew.follow();
}

/** Whether the crew has ended by now: what has resolved is told before what comes later. */
async function hasEnded(crew: ProjectCrew): Promise<boolean> {
  return Promise.race([crew.ended.then(() => true), new Promise<false>((r) => setImmediate(() => r(false)))]);
}

it('a crew is brought together without asking any coordinator: one that does not answer keeps nobody waiting', async () => {
  let asked = 0;
  const silent = createNetServer(() => (asked += 1));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  url = `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const crew = await crewOf('first', 'second');
  expect(asked).toBe(0);
  await crew.stop();
  silent.close();
});

describe('a crew ends', () => {
  it('when it is stopped before it was started, and starts no more', async () => {
    const crew = await crewOf('first', 'second');
    await crew.stop();
    await crew.start();
    expect(await crew.ended).toBeNull();
    expect(crew.projects.map(({ worker }) => worker.status().phase)).toEqual(['stopped', 'stopped']);
  });

  it('when it is stopped while it starts', async () => {
    const crew = await crewOf('first', 'second');
    await Promise.all([crew.start(), crew.stop()]);
    expect(await crew.ended).toBeNull();
  });

  it('when it is stopped while its projects wait for a coordinator that is away', async () => {
    const crew = await crewOf('first');
    await crew.start();
    await crew.stop();
    expect(await crew.ended).toBeNull();
  });

  it('when it is stopped twice at the same time', async () => {
    const crew = await crewOf('first');
    await crew.start();
    await Promise.all([crew.stop(), crew.stop()]);
    expect(await crew.ended).toBeNull();
  });

  it('when its last project is detached', async () => {
    const crew = await crewOf('first');
    await crew.start();
    await follow(crew);
    expect(await crew.ended).toBeNull();
    expect(logged).toContain('project-left');
  });

  it('when it is stopped while a project joins, which then does not stay behind', async () => {
    const crew = await crewOf('first');
    await crew.start();
    await Promise.all([follow(crew, 'first', 'second'), crew.stop()]);
    await crew.stop();
    expect(await crew.ended).toBeNull();
    expect(crew.projects.every(({ hasEnded: isOver }) => isOver)).toBe(true);
  });

  it('when it is told to finish and nothing is held', async () => {
    const crew = await crewOf('first');
    crew.finish();
    await crew.start();
    expect(await crew.ended).toBeNull();
  });
});

describe('a crew goes on', () => {
  it('when its only project makes room for another one', async () => {
    const crew = await crewOf('first');
    await crew.start();
    await follow(crew, 'second');
    expect(crew.projects.map(({ name }) => name)).toEqual(['second']);
    expect(await hasEnded(crew)).toBe(false);
    await crew.stop();
    expect(await crew.ended).toBeNull();
  });
});

import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { IdleDecision } from '@gleaner/domain';
import { completePolicy } from '@gleaner/worker-sdk';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeAttachments } from '../attachments.js';
import { anAttachment } from '../projects/attachment.fixture.js';
import { ControlFile } from '../control/control-file.js';
import { DataDirectory } from '../data-directory.js';
import { ProjectCrew } from '../projects/project-crew.js';
import { IdleGovernor } from './idle-governor.js';

let directory: DataDirectory;
let server: Server;
let url: string;
let crew: ProjectCrew;
let governor: IdleGovernor;
/** What was logged: event and reason. */
let logged: string[];
/** When the wishes were said that are followed. */
let followed: Array<number | null>;
/** Resolves when a host says good-bye. */
let farewell: PromiseWithResolvers<void>;
let answersFarewells: boolean;
beforeEach(async () => {
  directory = new DataDirectory(await mkdtemp(join(tmpdir(), 'gleaner-governor-')));
  farewell = Promise.withResolvers();
  answersFarewells = true;
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const isFarewell = body.includes('"leaving":true');
      if (isFarewell) farewell.resolve();
      if (!isFarewell || answersFarewells) response.writeHead(503).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  logged = [];
  followed = [];
});
afterEach(async () => {
  governor[Symbol.dispose]();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await crew.stop();
  // What the governor was just writing may still come.
  await rm(directory.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

async function govern(...hostIds: string[]): Promise<void> {
  const log = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    logged.push(`${event}: ${String(fields['reason'])}`);
  };
  await writeAttachments(
    directory,
    hostIds.map((hostId) => anAttachment(url, hostId)),
  );
  const policy = completePolicy({ cores: 1 });
  crew = await ProjectCrew.open({ directory, policy, once: false, log, onStatus: () => undefined });
  const onWish = (atMs: number | null): void => {
    followed.push(atMs);
  };
  governor = await IdleGovernor.start({
    directory,
    crew,
    isAlways: true,
    maxCores: 1,
    turnMs: 1_000,
    onWish,
    log,
  });
  await crew.start();
}

const PAUSE = { wish: { kind: 'pause', untilMs: null }, wishedAtMs: 1 } as const;

function reasonOf(name: string): string | undefined {
  return crew.projects.find((project) => project.name === name)?.worker.status().allowance.reason;
}

it('a pause holds for a project at once although another one is taking its time to leave', async () => {
  answersFarewells = false;
  await govern('first', 'second');
  await writeAttachments(directory, [anAttachment(url, 'second')]);
  await farewell.promise;
  await new ControlFile(directory).write(PAUSE);
  await expect.poll(() => reasonOf('second')).toMatch(/^paused: you asked/);
  expect(crew.projects.map(({ name }) => name)).toContain('first');
});

const HOUR_MS = 3_600_000;

it('what an earlier agent was asked to finish is no concern of this one, whatever the clock said then', async () => {
  const said = new ControlFile(directory);
  await said.write({ finishAskedAtMs: Date.now() + HOUR_MS });
  await govern('first');
  await said.write(PAUSE);
  await expect.poll(() => reasonOf('first')).toMatch(/^paused: you asked/);
  expect(crew.projects[0]?.worker.status().isFinishing).toBe(false);
});

it('a clock that was set back after the start keeps nobody from being asked to finish', async () => {
  await govern('first');
  await new ControlFile(directory).write({ finishAskedAtMs: Date.now() - HOUR_MS });
  await expect.poll(() => crew.projects[0]?.worker.status().isFinishing).toBe(true);
});

it('what the volunteer says is not held back by the patience after other programs, and told when it is followed', async () => {
  await govern('first');
  expect(followed).toEqual([null]);
  const busy: IdleDecision = {
    run: false,
    code: 'cpu-by-others',
    cores: 0,
    duty: 0,
    memoryMiB: 0,
    reason: 'paused: other programs',
  };
  for (const project of crew.projects) project.settled = { decision: busy, clearSinceMs: Date.now() };
  await new ControlFile(directory).write({ wish: { kind: 'always', untilMs: null }, wishedAtMs: 7 });
  await expect.poll(() => followed).toEqual([null, 7]);
  expect(reasonOf('first')).toMatch(/^computing.*: you asked for it$/);
});

it('a look at the machine that fails is told, and is not the last one', async () => {
  await govern('first');
  const preferences = directory.file('preferences.json');
  await symlink(preferences, preferences);
  await expect.poll(() => logged.join('\n')).toContain('governor-trouble: ELOOP');
  await rm(preferences);
  await new ControlFile(directory).write(PAUSE);
  await expect.poll(() => reasonOf('first')).toMatch(/^paused: you asked/);
});

it('a project that joins computes nothing before it was decided what it may use', async () => {
  await govern('first');
  await new ControlFile(directory).write(PAUSE);
  await expect.poll(() => reasonOf('first')).toMatch(/^paused: you asked/);
  const phases: string[] = [];
  await writeAttachments(directory, [anAttachment(url, 'first'), anAttachment(url, 'second')]);
  await expect
    .poll(() => {
      phases.push(crew.projects.find(({ name }) => name === 'second')?.worker.status().phase ?? 'absent');
      return reasonOf('second');
    })
    .toMatch(/^paused: you asked/);
  expect(new Set(phases)).not.toContain('working');
  expect(new Set(phases)).not.toContain('waiting');
});

it('preferences that cannot be understood pause it with their place, until they are mended', async () => {
  await writeFile(directory.file('preferences.json'), '{"hours":');
  await govern('first');
  expect(reasonOf('first')).toMatch(/^paused: .*preferences\.json is not JSON.*mend or remove the file$/);
  await writeFile(directory.file('preferences.json'), '{"minFreeDiskMiB":0}');
  await expect.poll(() => reasonOf('first')).toMatch(/^computing/);
});

it('a pause that can no longer be read is a pause still, and one that never could be read as well', async () => {
  await govern('first');
  await new ControlFile(directory).write(PAUSE);
  await expect.poll(() => reasonOf('first')).toMatch(/^paused: you asked/);
  await writeFile(directory.file('control.json'), '{"v":1,"wi');
  await expect.poll(() => logged.join('\n')).toContain('control-refused');
  expect(reasonOf('first')).toMatch(/^paused: you asked/);
  governor[Symbol.dispose]();
  await crew.stop();
  await govern('first');
  expect(reasonOf('first')).toMatch(/^paused: .*control\.json is damaged.*"gleaner agent resume" goes on$/);
  await new ControlFile(directory).write({ wish: { kind: 'auto' }, wishedAtMs: 2 });
  await expect.poll(() => reasonOf('first')).toMatch(/^computing/);
});

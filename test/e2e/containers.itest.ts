import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ATTACHMENTS_NAME } from '@gleaner/agent';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, freePort, type TestApplication } from '../support/index.js';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string): Promise<string> => readFile(join(ROOT, name), 'utf8');

const hasCompose = await execute('docker-compose', ['version']).then(
  () => true,
  () => false,
);
if (!hasCompose) process.stderr.write('docker-compose.yml is not checked: docker-compose is not in PATH\n');

/** The words of a Dockerfile's instruction that is written as a JSON list. */
function listOf(dockerfile: string, instruction: RegExp): string[] {
  const found = instruction.exec(dockerfile)?.[1];
  return z.array(z.string()).parse(JSON.parse(found ?? 'null'));
}

it.skipIf(!hasCompose)(
  'docker-compose.yml starts a coordinator, its worker and a volunteer once what they need is healthy',
  async () => {
    const { stdout } = await execute('docker-compose', ['-f', join(ROOT, 'docker-compose.yml'), 'config']);
    const below = (section: string): string[] => {
      const lines = new RegExp(`^${section}:\\n((?: .*\\n)+)`, 'm').exec(stdout)?.[1] ?? '';
      return [...lines.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name).toSorted();
    };
    expect(below('services')).toEqual(['agent', 'coordinator', 'postgres', 'redis', 'worker']);
    expect(below('volumes')).toEqual(['agent', 'coordinator', 'postgres', 'redis']);
    expect(stdout).toMatch(/GLEANER_ROLE: worker/);
    // As long as the service of an agent has, and more than a coordinator takes to stop.
    expect(stdout.match(/stop_grace_period: 45s/g)).toHaveLength(3);
    expect(stdout.match(/condition: service_healthy/g)?.length).toBeGreaterThanOrEqual(4);
  },
);

describe('the image', () => {
  let gleaner: TestApplication;
  beforeAll(async () => {
    gleaner = await createTestApplication();
  });
  afterAll(() => gleaner.close());

  it('starts programs that the build makes', async () => {
    const files = `${await read('Dockerfile')}\n${await read('docker-compose.yml')}`;
    const programs = new Set(files.match(/[\w/.-]+\/dist\/[\w/.-]+\.js/g));
    expect([...programs].toSorted()).toEqual(['apps/agent/dist/main.js', 'apps/coordinator/dist/main.js']);
    for (const program of programs) expect(existsSync(join(ROOT, program)), program).toBe(true);
  });

  it('attaches its volunteer only once', async () => {
    expect(await read('docker-compose.yml')).toContain(`test -f /data/agent/${ATTACHMENTS_NAME} ||`);
  });

  it('is healthy while its coordinator is ready', async () => {
    const [program = '', ...args] = listOf(await read('Dockerfile'), /HEALTHCHECK[^[]*CMD (\[.*\])/);
    expect(program).toBe('node');
    const check = (port: string): Promise<number> =>
      execute(process.execPath, args, { env: { GLEANER_PORT: port } }).then(
        () => 0,
        () => 1,
      );
    expect(await check(new URL(gleaner.url).port)).toBe(0);
    expect(await check(String(await freePort()))).toBe(1);
  });
});

describe('the volunteer of docker-compose.yml', () => {
  let coordinator: StandInCoordinator;
  let data: string;
  beforeEach(async () => {
    coordinator = await StandInCoordinator.start();
    data = await mkdtemp(join(tmpdir(), 'gleaner-containers-'));
  });
  afterEach(async () => {
    await coordinator[Symbol.asyncDispose]();
    await rm(data, { recursive: true, force: true });
  });

  /** Exit code and sentence of its health check, looking at this directory. */
  async function check(): Promise<{ code: number; stderr: string }> {
    const found = /test: (\['CMD', 'node', 'apps\/agent.*\])/.exec(await read('docker-compose.yml'))?.[1];
    const [, , ...args] = z.array(z.string()).parse(JSON.parse((found ?? 'null').replaceAll("'", '"')));
    const here = args.map((arg) => (arg === '/data/agent' ? data : arg));
    return await execute(process.execPath, here, { cwd: ROOT }).then(
      ({ stderr }) => ({ code: 0, stderr }),
      (error: { code: number; stderr: string }) => ({ code: error.code, stderr: error.stderr }),
    );
  }

  it('is healthy while an agent runs that is attached, and says what it is not otherwise', async () => {
    expect(await check()).toEqual({
      code: 3,
      stderr: 'gleaner agent: not attached: join a project with "gleaner agent attach URL"\n',
    });
    expect((await runAgent(['attach', coordinator.url, '--anonymous', '--data', data])).code).toBe(0);
    expect(await check()).toEqual({
      code: 1,
      stderr: 'gleaner agent: not running: start the agent with "gleaner agent run"\n',
    });
    await using agent = new AgentProcess(['run', '--json', '--cores', '1', '--data', data]);
    await coordinator.until(() => coordinator.workCalls > 0 || coordinator.heartbeats.length > 0);
    expect(await check()).toEqual({ code: 0, stderr: '' });
    agent.kill('SIGKILL');
    await agent.ended;
    expect((await check()).code).toBe(1);
  });
});

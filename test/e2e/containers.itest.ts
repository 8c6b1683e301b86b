import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ATTACHMENTS_NAME } from '@gleaner/agent';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, freePort, type TestApplication } from '../support/index.js';

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

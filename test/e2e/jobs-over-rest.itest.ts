import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jobPage } from '@gleaner/protocol';
import { expect, it, vi } from 'vitest';
import { createTestApplication } from '../support/index.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp } from './volunteering/science.js';
import { aVolunteer } from './volunteering/volunteer.js';

const DOCUMENT = new URL('../../docs/jobs.md', import.meta.url);

it('what docs/jobs.md shows over REST leads to an answer as it stands', async () => {
  await using cleanUp = new AsyncDisposableStack();
  const application = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
  cleanUp.defer(() => application.close());
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-over-rest-'));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const science = await anApprovedApp(application, 'words', helloModule('hello\t1\n').original);

  const [, shown = ''] = /```bash\n([^]*?)```/.exec(await readFile(DOCUMENT, 'utf8')) ?? [];
  const script = shown.replace('"project": "demo"', `"project": "${science.project}"`);
  // Forty records for forty units.
  await writeFile(join(directory, 'data.txt'), 'line\n'.repeat(40));
  const running = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: directory,
    env: { ...process.env, GLEANER_URL: application.url, GLEANER_TOKEN: science.scientist.token },
  });
  // The job comes first: volunteers who find no work ask again only after a while.
  await vi.waitFor(
    async () => {
      const { items } = jobPage.parse((await science.scientist.get('/v1/jobs').expect(200)).body);
      expect(items).toHaveLength(1);
    },
    { timeout: 60_000 },
  );
  for (const name of ['Ada', 'Grace']) cleanUp.use(await aVolunteer(application, { name, directory }));
  expect((await running).stdout).toContain('"units":40');
  expect(await readFile(join(directory, 'answer.txt'), 'utf8')).toBe('hello\t40\n');
  await science.scientist.get('/v1/jobs/1').expect(404);
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@gleaner/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp, completeJob } from './volunteering/science.js';
import { aVolunteer, type Volunteer } from './volunteering/volunteer.js';

let application: TestApplication;
let directory: string;
const volunteers: Volunteer[] = [];
beforeAll(async () => {
  application = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
  directory = await mkdtemp(join(tmpdir(), 'gleaner-outputs-'));
});
afterAll(async () => {
  await Promise.all(volunteers.map((volunteer) => volunteer[Symbol.asyncDispose]()));
  await application.close();
  await rm(directory, { recursive: true, force: true });
});

it('outputs too large for a report are uploaded by a host that agreed', async () => {
  const text = `${'x'.repeat(9_999)}\n`;
  const { original } = helloModule(text, 10);
  expect(10 * text.length).toBeGreaterThan(LIMITS.inlineOutputBytes);
  const science = await anApprovedApp(application, 'large', original);
  const completing = completeJob(science, {
    name: 'large outputs',
    app: science.app,
    split: [{ kind: 'range', name: 'n', from: 0, to: 3, step: 1 }],
    merge: { kind: 'concat' },
  });
  for (const name of ['Ada', 'Grace']) volunteers.push(await aVolunteer(application, { name, directory }));
  const { job, answer } = await completing;
  expect(job.units.valid).toBe(3);
  expect(answer).toBe(text.repeat(30));
});

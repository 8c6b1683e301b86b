import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createFileLog } from './agent-log.js';

it('what a coordinator says gives no orders to the terminal that the log is read at', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-log-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'agent.log');
  createFileLog(path)('waiting', { reason: 'no \u009b2J\u001b]0;work\u0007\u007f, alas' });
  const written = await readFile(path, 'utf8');
  expect(written).toContain('alas');
  expect(written.trimEnd()).not.toMatch(/\p{Cc}/u);
});

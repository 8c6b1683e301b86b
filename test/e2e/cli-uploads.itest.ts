import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Blob, OwnBlobPage } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aPerson, aProject, createTestApplication, type TestApplication } from '../support/index.js';
import { CliProcess, gleaner, gleanerJson } from './cli-support/cli-process.js';
import { Forwarder } from './cli-support/forwarder.js';

/** Three parts as the command sends them. */
const FILE_BYTES = 40_000_000;

let application: TestApplication;
let directory: string;
let token: string;
beforeAll(async () => {
  application = await createTestApplication();
  directory = await mkdtemp(join(tmpdir(), 'gleaner-cli-uploads-'));
  token = (await aProject(application, { slug: 'pulsars' })).scientist.token;
});
afterAll(async () => {
  await application.close();
  await rm(directory, { recursive: true, force: true });
});

async function aFile(name: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, randomBytes(FILE_BYTES));
  return path;
}

/** Sends the first half of a file, and is stopped by Ctrl-C. */
async function stoppedHalfway(forwarder: Forwarder, file: string, env: Record<string, string>) {
  forwarder.holdAtBytes = FILE_BYTES / 2;
  await using sending = new CliProcess(['blob', 'put', file], env);
  await vi.waitFor(() => expect(forwarder.passedBytes).toBeGreaterThanOrEqual(forwarder.holdAtBytes), {
    timeout: 60_000,
  });
  sending.kill('SIGINT');
  const ended = await sending.ended;
  forwarder.holdAtBytes = Number.POSITIVE_INFINITY;
  forwarder.passedBytes = 0;
  return ended;
}

it('which of several files was refused is told', async () => {
  const { token: another } = await aPerson(application, { scopes: ['work'] });
  const env = { GLEANER_URL: application.url, GLEANER_TOKEN: another };
  const { code, stderr } = await gleaner(['blob', 'put', await aFile('refused.bin')], env);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^gleaner: refused\.bin: .* \(403 forbidden\)$/m);
});

it('what was uploaded is listed, with what it holds, and given back, and what was begun as well', async () => {
  const { token: another } = (await aProject(application)).scientist;
  const env = { GLEANER_URL: application.url, GLEANER_TOKEN: another, XDG_CACHE_HOME: join(directory, 'c') };
  const file = await aFile('small.bin');
  const { stdout: id } = await gleaner(['blob', 'put', file], env);
  const begun = await fetch(new URL('/v1/uploads', application.url), {
    method: 'POST',
    headers: { 'tus-resumable': '1.0.0', authorization: `Bearer ${another}`, 'upload-length': '3000000' },
  });
  const uploadId = basename(begun.headers.get('location') ?? '');
  const { stdout: listed } = await gleaner(['blob', 'list'], env);
  expect(listed).toMatch(new RegExp(`^${uploadId} +3\\.00 MB .* unfinished$`, 'm'));
  expect(listed).toMatch(new RegExp(`^${id.trim()} +40\\.0 MB .* nothing$`, 'm'));
  expect(listed).toMatch(/^They hold 43\.0 MB of the \d+ GB that they may\.$/m);
  expect((await gleaner(['blob', 'delete', id.trim(), uploadId], env)).stderr).toContain('is deleted.');
  const { room } = await gleanerJson<OwnBlobPage>(['blob', 'list'], env);
  expect(room).toMatchObject({ heldBytes: 0, unfinished: [] });
});

describe('an upload that was stopped by Ctrl-C', () => {
  it('is gone on with by the same command, which forgets it when it has ended', async () => {
    await using forwarder = await Forwarder.before(application.url);
    const cache = join(directory, 'cache');
    const env = { GLEANER_URL: forwarder.url, GLEANER_TOKEN: token, XDG_CACHE_HOME: cache };
    const file = await aFile('tape.bin');
    const { code, stderr } = await stoppedHalfway(forwarder, file, env);
    expect(stderr).toMatch(/MB of tape\.bin are sent: the same command goes on from there$/m);
    expect(code).toBe(130);

    const [blob] = await gleanerJson<Blob[]>(['blob', 'put', file], env);
    expect(blob?.sizeBytes).toBe(FILE_BYTES);
    // The first part at least is not sent again.
    expect(forwarder.passedBytes).toBeLessThanOrEqual(FILE_BYTES - 16 * 1024 * 1024);
    expect(await readdir(join(cache, 'gleaner', 'uploads'))).toEqual([]);
  });

  it('begins anew where the coordinator has forgotten it', async () => {
    await using forwarder = await Forwarder.before(application.url);
    const env = {
      GLEANER_URL: forwarder.url,
      GLEANER_TOKEN: token,
      XDG_CACHE_HOME: join(directory, 'another-cache'),
    };
    const file = await aFile('forgotten.bin');
    await stoppedHalfway(forwarder, file, env);
    // To anybody else it is none, as if it had been forgotten.
    const { token: another } = await aProject(application, { slug: 'comets' }).then(
      (found) => found.scientist,
    );
    const [blob] = await gleanerJson<Blob[]>(['blob', 'put', file], { ...env, GLEANER_TOKEN: another });
    expect(blob?.sizeBytes).toBe(FILE_BYTES);
    expect(forwarder.passedBytes).toBe(FILE_BYTES);
  });

  it('begins anew where nothing can be kept, and the coordinator keeps nothing either', async () => {
    await using forwarder = await Forwarder.before(application.url);
    const file = await aFile('unkept.bin');
    const env = { GLEANER_URL: forwarder.url, GLEANER_TOKEN: token, XDG_CACHE_HOME: file };
    expect((await stoppedHalfway(forwarder, file, env)).stderr).not.toContain('goes on');
    expect((await gleaner(['blob', 'put', file], env)).code).toBe(0);
    expect(forwarder.passedBytes).toBe(FILE_BYTES);
  });
});

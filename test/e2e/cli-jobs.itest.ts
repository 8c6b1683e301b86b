import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateTape, SETI_CLASSIC_WASM_PATH } from '@gleaner/example-seti-classic';
import { MERSENNE_HUNT_WASM_PATH } from '@gleaner/example-mersenne-hunt';
import type { CreatedToken, Job } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aProject, createTestApplication, type TestApplication } from '../support/index.js';
import { CliProcess, gleaner, gleanerJson } from './cli-support/cli-process.js';
import { Forwarder } from './cli-support/forwarder.js';
import { aVolunteer, type Volunteer } from './volunteering/volunteer.js';

const EXPONENTS = ['name: exponents', 'app: mersenne-hunt@1', 'args: ["{p.from}", "{p.to}"]'];
const SPLIT = 'split: [{kind: range, name: p, from: 2, to: 32, step: 10}]';
const MERGE = 'merge: {kind: lines, sortBy: [p]}';

let application: TestApplication;
let directory: string;
let scientist: Record<string, string>;
let operator: Record<string, string>;
let accountId: string;
const volunteers: Volunteer[] = [];
beforeAll(async () => {
  application = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
  directory = await mkdtemp(join(tmpdir(), 'gleaner-cli-jobs-'));
  const project = await aProject(application, { slug: 'primes' });
  scientist = {
    GLEANER_URL: application.url,
    GLEANER_TOKEN: project.scientist.token,
    GLEANER_PROJECT: 'primes',
  };
  accountId = project.scientist.account.id;
  operator = { GLEANER_URL: application.url, GLEANER_TOKEN: application.operatorToken };
});
afterAll(async () => {
  await Promise.all(volunteers.map((volunteer) => volunteer[Symbol.asyncDispose]()));
  await application.close();
  await rm(directory, { recursive: true, force: true });
});

async function aJobFile(name: string, lines: readonly string[]): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

/** What the command wrote to stdout; it must succeed. */
async function says(args: readonly string[], env: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await gleaner(args, env);
  expect(stderr).not.toContain('gleaner:');
  expect(code).toBe(0);
  return stdout;
}

describe('a scientist at the command line', () => {
  it('sees where a job stands at once, and may leave it by Ctrl-C', async () => {
    const publish = ['app', 'publish', MERSENNE_HUNT_WASM_PATH, '--name', 'mersenne-hunt', '--version', '0'];
    await says(publish, scientist);
    await says(['app', 'approve', 'mersenne-hunt@0'], operator);
    const file = await aJobFile('left.yaml', ['name: left', 'app: mersenne-hunt@0', SPLIT]);
    await using watching = new CliProcess(['job', 'submit', file, '--watch'], scientist);
    await watching.said('Units 0 % (0 of 3 units)');
    watching.kill('SIGINT');
    const { code, stderr } = await watching.ended;
    expect(code).toBe(130);
    const id = /^Job (\d+) is submitted/m.exec(stderr)?.[1] ?? '';
    expect(stderr).toContain(
      `Job ${id} goes on without you. To watch it again: gleaner job status ${id} --watch; to stop it: gleaner job cancel ${id}\n`,
    );
    expect((await gleanerJson<Job>(['job', 'cancel', id], scientist)).state).toBe('cancelled');
  });

  it('publishes, estimates, submits a YAML file, watches, and gets the answer', async () => {
    const publish = ['app', 'publish', MERSENNE_HUNT_WASM_PATH, '--name', 'mersenne-hunt', '--version', '1'];
    expect(await says(publish, scientist)).toBe('mersenne-hunt@1\n');
    await says(['app', 'approve', 'mersenne-hunt@1'], operator);
    const file = await aJobFile('exponents.yaml', [...EXPONENTS, SPLIT, MERGE]);
    expect(await says(['job', 'estimate', file], scientist)).toContain('3 units, at least 6 tasks');

    const watching = new CliProcess(['job', 'submit', file, '--watch', '--json'], scientist);
    await watching.said('is submitted');
    for (const name of ['Ada', 'Grace']) volunteers.push(await aVolunteer(application, { name, directory }));
    const { code, stdout, stderr } = await watching.ended;
    expect(stderr).toContain('100 % (3 of 3 units)');
    expect(code).toBe(0);
    const { id, state } = JSON.parse(stdout) as Job;
    expect(state).toBe('completed');

    const answer = await says(['job', 'results', id], scientist);
    const exponents = answer
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { p: number; prime: boolean });
    expect(exponents.filter(({ prime }) => prime).map(({ p }) => p)).toEqual([2, 3, 5, 7, 13, 17, 19, 31]);
    expect(await says(['job', 'status', id], scientist)).toContain('3 of 3 units valid');
    expect(await says(['job', 'units', id], scientist)).toMatch(/^ *2 +valid +ok/m);
    expect(await says(['job', 'list'], scientist)).toContain('exponents');
    expect(await says(['leaderboard'], operator)).toContain('Ada');
  });

  it('is told that an answer is empty, and where its units were to write', async () => {
    const file = await aJobFile('empty.yaml', [...EXPONENTS, SPLIT, 'outputs: [stdoutt]']);
    const { id, state } = await gleanerJson<Job>(['job', 'submit', file, '--watch'], scientist);
    expect(state).toBe('completed');
    const { code, stdout, stderr } = await gleaner(['job', 'results', id], scientist);
    expect(stderr).toBe(
      `The answer of job ${id} is empty: its units wrote nothing to "stdoutt", its "outputs".\n`,
    );
    expect([code, stdout]).toEqual([0, '']);
    const described = await gleaner(['job', 'results', id, '--json'], scientist);
    expect(described.stderr).toContain('is empty');
    expect(JSON.parse(described.stdout)).toMatchObject({ sizeBytes: 0 });
  });

  it('is told why each unit failed, and that a job all of whose units did has ended', async () => {
    const file = await aJobFile('wrong.yaml', [...EXPONENTS.slice(0, 2), 'args: ["{p.from}"]', SPLIT]);
    const { code, stderr } = await gleaner(['job', 'submit', file, '--watch'], scientist);
    expect(stderr).toMatch(/Job \d+ failed: all 3 units failed$/m);
    expect(code).toBe(6);
    const id = /^Job (\d+) is submitted/m.exec(stderr)?.[1] ?? '';
    expect(await says(['job', 'units', id], scientist)).toMatch(
      /^ *0 +failed +exit 1 .*agree that it ends with "exit"; usage: mersenne-hunt FROM TO$/m,
    );
    expect(await says(['job', 'status', id], scientist)).toContain(
      `why units failed: gleaner job units ${id} --state failed`,
    );
    const few = await gleaner(['job', 'units', id, '--limit', '2', '--json'], scientist);
    expect(few.stderr).toBe(
      'These are the first 2, and there are more: --limit shows them, --state failed those that failed\n',
    );
    expect(JSON.parse(few.stdout)).toHaveLength(2);
    expect(await gleanerJson(['job', 'units', id, '--state', 'failed'], scientist)).toHaveLength(3);
    expect(await gleanerJson(['job', 'units', id, '--state', 'valid'], scientist)).toEqual([]);
  });

  it('looks up what waits for an operator, and which number a token has that is to go', async () => {
    await says(['app', 'publish', MERSENNE_HUNT_WASM_PATH, '--name', 'unseen', '--version', '1'], scientist);
    expect(await says(['app', 'list'], scientist)).toMatch(/^unseen@1 +primes +waits /m);
    expect(await says(['project', 'list'], scientist)).toMatch(/^primes +primes +approved$/m);
    await says(['token', 'create', 'lost laptop', '--scopes', 'submit'], scientist);
    const tokens = await says(['token', 'list'], scientist);
    const [, id = ''] = /^ *(\d+) +lost laptop +submit +never +never$/m.exec(tokens) ?? [];
    await says(['token', 'revoke', id], scientist);
    expect(await says(['token', 'list'], scientist)).toMatch(/lost laptop .* revoked 2/);
  });

  it('makes tokens that end by themselves, and as an operator those of others', async () => {
    const create = ['token', 'create', 'guest', '--scopes', 'submit', '--expires'];
    const { token } = await gleanerJson<CreatedToken>([...create, '7d'], scientist);
    const lifetimeMs = Date.parse(token.expiresAt ?? '') - Date.parse(token.createdAt);
    expect(Math.round(lifetimeMs / 3_600_000)).toBe(7 * 24);
    const past = await gleaner([...create, '2020-01-01T00:00:00Z'], scientist);
    expect(past.stderr).toContain('/expiresAt: must be in the future');
    expect(past.code).toBe(3);
    const day = await gleaner([...create, 'tomorrow'], scientist);
    expect(day.stderr).toContain('must be days or hours, such as 90d or 12h, or a time such as 2027-01-31');
    expect(day.code).toBe(2);
    const secret = await says([...create, '1h', '--account', accountId], operator);
    const guest = { GLEANER_URL: application.url, GLEANER_TOKEN: secret };
    expect(await says(['token', 'list'], guest)).toMatch(/guest +submit +\S+ +2\S+Z$/m);
    await application.dataSource.query(
      "UPDATE api_token SET expires_at = now() - interval '1 minute' WHERE id = $1",
      [token.id],
    );
    expect(await says(['token', 'list'], scientist)).toMatch(/guest +submit +never +expired 2\S+Z$/m);
  });

  it('is told which account was made where its first token was not', async () => {
    await using forwarder = await Forwarder.before(application.url);
    // Accounts are numbered one after the other, and the next is the one that is made here.
    const [{ next }] = z
      .tuple([z.object({ next: z.coerce.number() })])
      .parse(await application.dataSource.query('SELECT max(id) + 1 AS next FROM account'));
    forwarder.losesAnswerTo = `POST /v1/accounts/${next}/tokens`;
    const env = { ...operator, GLEANER_URL: forwarder.url };
    const { code, stdout, stderr } = await gleaner(['account', 'create', 'Bob', '--scopes', 'submit'], env);
    expect([code, stdout]).toEqual([5, '']);
    const [, made, command] =
      /^Account (\d+) "Bob" is made, .* To make it: gleaner (.*)$/m.exec(stderr) ?? [];
    expect(command).toBe(`token create "first token" --account ${made} --scopes submit`);
  });

  it('hears of what an estimate warns of when it submits as well', async () => {
    const publish = ['app', 'publish', MERSENNE_HUNT_WASM_PATH, '--name', 'mersenne-hunt', '--version', '3'];
    await says(publish, scientist);
    const file = await aJobFile('unapproved.yaml', ['name: mine', 'app: mersenne-hunt@3', SPLIT]);
    const { code, stdout, stderr } = await gleaner(['job', 'submit', file], scientist);
    expect(stderr).toBe(
      'warning: mersenne-hunt@3 is not approved: it runs only on your own hosts and earns no credit.\n',
    );
    expect(stdout).toMatch(/^\d+\n$/);
    expect(code).toBe(0);
  });

  it('submits once although it asks twice with the same key', async () => {
    const file = await aJobFile('twice.yaml', [...EXPONENTS, SPLIT]);
    const submit = ['job', 'submit', file, '--idempotency-key', 'only-once'];
    expect(await says(submit, scientist)).toBe(await says(submit, scientist));
  });

  it('is told how to submit again without making a second job where the answer got lost', async () => {
    const file = await aJobFile('lost.yaml', ['name: lost', ...EXPONENTS.slice(1), SPLIT]);
    await using forwarder = await Forwarder.before(application.url);
    forwarder.losesAnswerTo = 'POST /v1/jobs';
    const env = { ...scientist, GLEANER_URL: forwarder.url };
    const { code, stdout, stderr } = await gleaner(['job', 'submit', file], env);
    expect([code, stdout]).toEqual([5, '']);
    expect(stderr).toContain('broke off before it answered');
    const key = /^The job may be submitted all the same: with --idempotency-key (\S+) /m.exec(stderr)?.[1];
    forwarder.losesAnswerTo = null;
    const id = await says(['job', 'submit', file, '--idempotency-key', key ?? ''], env);
    const jobs = await gleanerJson<Job[]>(['job', 'list'], scientist);
    expect(jobs.filter(({ name }) => name === 'lost').map((job) => job.id)).toEqual([id.trim()]);
  });

  it('cancels and deletes a job', async () => {
    const file = await aJobFile('cancelled.yaml', [...EXPONENTS, SPLIT]);
    const id = (await says(['job', 'submit', file], scientist)).trim();
    expect((await gleanerJson<Job>(['job', 'cancel', id], scientist)).state).toBe('cancelled');
    const unsure = await gleaner(['job', 'delete', id], scientist);
    expect(unsure.stderr).toContain('add --yes if you mean it');
    expect(unsure.code).toBe(2);
    expect((await gleanerJson<Job>(['job', 'status', id], scientist)).state).toBe('cancelled');
    await says(['job', 'delete', id, '--yes'], scientist);
    expect((await gleaner(['job', 'status', id], scientist)).code).toBe(3);
  });

  it('turns a SETI@home work unit into a blob and a job file that the schema accepts', async () => {
    await says(
      ['app', 'publish', SETI_CLASSIC_WASM_PATH, '--name', 'seti-classic', '--version', '1'],
      scientist,
    );
    const tape = join(directory, 'night.sah');
    await writeFile(tape, generateTape({ seed: 7, tones: [] }).bytes);
    const jobFile = join(directory, 'night.job.json');
    await says(['import', 'sah', tape, '-o', jobFile], scientist);
    expect(JSON.parse(await readFile(jobFile, 'utf8'))).toMatchObject({
      name: 'generated-7',
      app: 'seti-classic@1',
    });
    expect(await says(['job', 'estimate', jobFile], scientist)).toContain('units');
  });

  it('sends no tape whose job file cannot be written', async () => {
    const tape = join(directory, 'unsent.sah');
    await writeFile(tape, generateTape({ seed: 8, tones: [] }).bytes);
    const { code, stderr } = await gleaner(['import', 'sah', tape, '-o', '/nowhere/job.json'], scientist);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^gleaner: Cannot write \/nowhere\/job\.json: /),
    ]);
  });

  it('says why a file is no tape', async () => {
    const file = await aJobFile('no-tape.sah', ['hello']);
    const { code, stderr } = await gleaner(['import', 'sah', file], scientist);
    expect(stderr).toContain('not a SETI@home work unit');
    expect(code).toBe(2);
  });
});

describe('gleaner run --local', () => {
  it('gives the answer that volunteers gave, however it is cut', async () => {
    const file = await aJobFile('local.yaml', [...EXPONENTS, SPLIT, MERGE]);
    const app = ['--app', MERSENNE_HUNT_WASM_PATH];
    const whole = await gleaner(['run', '--local', file, '--units', '1', ...app]);
    const parts = await gleaner(['run', '--local', file, '--units', '11', ...app]);
    expect(whole.stderr).toContain('1 units, each computed twice with the same result');
    expect(parts.stdout).toBe(whole.stdout);
  });

  it('warns of an output to which no unit writes, and names the one that was probably meant', async () => {
    const typo = ['outputs: [stdoutt]'];
    const file = await aJobFile('typo.yaml', [...EXPONENTS, SPLIT, ...typo]);
    const { code, stdout, stderr } = await gleaner([
      'run',
      '--local',
      file,
      '--app',
      MERSENNE_HUNT_WASM_PATH,
    ]);
    expect(stderr).toMatch(
      /^warning: no unit wrote anything to "stdoutt"; unit 0 wrote \d+ bytes to "stdout", which is not among the job's outputs$/m,
    );
    expect(stdout).toBe('');
    expect(code).toBe(0);
    const right = await aJobFile('right.yaml', [...EXPONENTS, SPLIT]);
    expect((await gleaner(['run', '--local', right, '--app', MERSENNE_HUNT_WASM_PATH])).stderr).not.toContain(
      'warning',
    );
  });

  it('tells which unit failed and what it wrote to stderr', async () => {
    const file = await aJobFile('failing.yaml', [...EXPONENTS.slice(0, 2), 'args: ["{p.from}"]', SPLIT]);
    const { code, stderr } = await gleaner(['run', '--local', file, '--app', MERSENNE_HUNT_WASM_PATH]);
    expect(stderr).toMatch(/Unit \d failed: .*usage: mersenne-hunt FROM TO/s);
    expect(code).toBe(6);
  });
});

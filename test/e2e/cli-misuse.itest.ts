import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliProcess, gleaner } from './cli-support/cli-process.js';

const CLI = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const COORDINATOR = fileURLToPath(new URL('../../apps/coordinator/dist/main.js', import.meta.url));
const HUNT = fileURLToPath(new URL('../../examples/mersenne-hunt', import.meta.url));
const MODULE = join(HUNT, 'build', 'mersenne-hunt.wasm');
const SPLIT = { kind: 'range', name: 'p', from: 2, to: 9, step: 7 };
const JOB = { name: 'x', app: 'x@1', split: [SPLIT] };
const STACK = /\n\s+at /;

let directory: string;
let notGleaner: Server;
let notGleanerUrl: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-misuse-'));
  notGleaner = createServer((request, response) => {
    response.writeHead(request.method === 'GET' ? 404 : 501).end('<html>');
  }).listen(0, '127.0.0.1');
  await once(notGleaner, 'listening');
  notGleanerUrl = `http://127.0.0.1:${(notGleaner.address() as AddressInfo).port}`;
});
afterAll(async () => {
  notGleaner.close();
  await rm(directory, { recursive: true, force: true });
});

// At once: each is a process that hardly does more than start.
describe.concurrent('gleaner, used wrongly', () => {
  it.each([
    'up',
    'demo',
    'app publish',
    'app approve',
    'app check',
    'app list',
    'blob put',
    'blob get',
    'blob list',
    'blob delete',
    'job submit',
    'job estimate',
    'job status',
    'job results',
    'job units',
    'job list',
    'job delete',
    'run',
    'sandbox run',
    'import sah',
    'account create',
    'token create',
    'token list',
    'project create',
    'project list',
    'leaderboard',
    'agent',
    'agent attach',
    'agent run',
  ])('%s --help describes every option in words', async (command) => {
    const { code, stdout, stderr } = await gleaner([...command.split(' '), '--help']);
    expect(stderr).toBe('');
    expect(stdout).toContain(`Usage: gleaner ${command}`);
    // A default that is a structure would be shown as JSON.
    expect(stdout).not.toMatch(/default: [[{"]+[\]}"]/);
    expect(code).toBe(0);
  });

  it('says which scopes there are', async () => {
    const { code, stderr } = await gleaner(['account', 'create', 'Bob', '--scopes', 'work,fly']);
    expect(stderr).toContain('"fly" is no scope: give one or more of work,submit,operate');
    expect(stderr).not.toMatch(STACK);
    expect(code).toBe(2);
  });

  it.each([
    ['a directory', () => ['blob', 'put', directory], 'is not a file'],
    [
      'what is not packed',
      () => ['blob', 'put', '--gunzip', join(HUNT, 'job.json')],
      'as gzip: incorrect header',
    ],
    [
      'an input that is missing',
      async () => {
        const file = join(directory, 'job.json');
        await writeFile(file, JSON.stringify({ ...JOB, inputs: { tape: 'gone.sah' } }));
        return ['job', 'submit', file];
      },
      'Cannot read input "tape"',
    ],
    [
      'a directory for an input',
      async () => {
        const file = join(directory, 'directory.json');
        await writeFile(file, JSON.stringify({ ...JOB, inputs: { tape: '.' } }));
        return ['job', 'submit', file];
      },
      'Cannot read input "tape": ',
    ],
    [
      'a directory for a module',
      () => ['run', '--local', join(HUNT, 'job.json'), '--app', HUNT],
      `Cannot read the module ${HUNT}: `,
    ],
    [
      'a directory for an answer',
      () => ['run', '--local', join(HUNT, 'job.json'), '-o', directory],
      `it is a directory`,
    ],
    [
      'a file for an input that the job does not have',
      async () => {
        const file = join(directory, 'two-inputs.json');
        await writeFile(file, JSON.stringify({ ...JOB, inputs: { tape: 'a.sah', map: 'b.txt' } }));
        // The option takes one word: what is behind it is the job.
        return ['run', '--local', '--input', `tepe=${file}`, file];
      },
      '--input tepe: the job file has no input of this name; its inputs are "tape", "map"',
    ],
    [
      'an answer to a directory that is not there',
      () => ['run', '--local', join(HUNT, 'job.json'), '-o', '/nowhere/answer'],
      'Cannot write /nowhere/answer',
    ],
  ])('refuses %s in a sentence', async (_what, args, sentence) => {
    const { code, stdout, stderr } = await gleaner(await args(), { GLEANER_URL: notGleanerUrl });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(STACK);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('tells that a server is no coordinator, to scientists and to volunteers', async () => {
    const scientist = await gleaner(['job', 'list', '--url', notGleanerUrl]);
    expect(scientist.stderr).toContain('is no Gleaner coordinator');
    const volunteer = await gleaner([
      'agent',
      'attach',
      notGleanerUrl,
      '--anonymous',
      '--data',
      join(directory, 'agent'),
    ]);
    expect(volunteer.stderr).toContain('is not a Gleaner coordinator: check the URL');
    expect([scientist.code, volunteer.code]).toEqual([5, 5]);
  });

  it.each([
    ['job submit', () => ['job', 'submit', join(HUNT, 'job.json'), '--project', 'x']],
    ['job status --watch', () => ['job', 'status', '7', '--watch']],
    ['blob put', () => ['blob', 'put', join(HUNT, 'job.json')]],
  ])('%s, which nobody answers, ends at the first Ctrl-C', async (_what, args) => {
    const asked = Promise.withResolvers<void>();
    const silent = createServer(() => asked.resolve()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await using command = new CliProcess([...args(), '--url', url]);
    await asked.promise;
    command.kill('SIGINT');
    expect((await command.ended).code).toBe(130);
    silent.close();
  });

  it.each([
    {
      what: 'a split that yields nothing',
      change: { split: [{ kind: 'range', name: 'p', from: 2, to: 2, step: 1 }] },
      code: 3,
      said: /^gleaner: The job cannot run as it is\n {2}\/split: yields no work units$/m,
    },
    {
      what: 'more units than a job may have',
      change: { split: [{ kind: 'range', name: 'p', from: 0, to: 1e14, step: 1 }] },
      code: 3,
      said: /\/split: yields 100000000000000 units; at most 100000000 are allowed$/m,
    },
    {
      what: 'outputs that the merge does not read',
      change: { split: [{ kind: 'range', name: 'p', from: 2, to: 9, step: 7 }], merge: { kind: 'sum' } },
      code: 6,
      said: /^gleaner: The outputs cannot be merged: unit 0, line 1: is not KEY, a tab and a number$/m,
    },
  ])('refuses $what on this machine as a coordinator would', async ({ what, change, code, said }) => {
    const file = join(directory, `${what.replaceAll(' ', '-')}.json`);
    const job = JSON.parse(await readFile(join(HUNT, 'job.json'), 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...job, ...change }));
    const answer = await gleaner(['run', '--local', file, '--app', MODULE]);
    expect(answer.stderr).toMatch(said);
    expect(answer.stderr).not.toMatch(STACK);
    expect(answer.code).toBe(code);
  });

  it('says why a module is not admitted wherever it is asked for', async () => {
    const file = join(directory, 'text.wasm');
    await writeFile(file, 'hello');
    const why = `${file} is refused:\n  not-a-module at byte 0: This is not a WebAssembly 1 core module`;
    const check = await gleaner(['app', 'check', file]);
    const run = await gleaner(['run', '--local', join(HUNT, 'job.json'), '--app', file]);
    expect([check.stderr, run.stderr]).toEqual([expect.stringContaining(why), expect.stringContaining(why)]);
    expect([check.code, run.code]).toEqual([3, 3]);
  });

  it('writes an answer to a file only when it is whole', async () => {
    const answer = join(directory, 'answer.jsonl');
    const args = ['run', '--local', join(HUNT, 'job.json'), '--units', '2', '-o', answer, '--json'];
    const { code, stdout } = await gleaner(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ units: 2, deterministic: true, file: answer });
    expect((await readdir(directory)).filter((name) => name.startsWith('answer'))).toEqual(['answer.jsonl']);
  });

  it('ends quietly when the reader of its answer has seen enough', async () => {
    const child = spawn(process.execPath, [CLI, 'sandbox', 'run', MODULE, '--', '2', '200'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes.toString();
    });
    const [code] = (await once(child, 'close')) as [number | null];
    expect(stderr).not.toContain('Error');
    expect(code).toBe(0);
  });

  it.each([
    'leaderboard --help',
    'agent --version',
    'agent status',
    'agent status --json',
    `sandbox run ${MODULE} -- 2 200`,
  ])('%s fails and says why when its answer cannot be written', async (command) => {
    const program = [process.execPath, CLI, ...command.split(' ')];
    const child = spawn('sh', ['-c', 'exec "$@" > /dev/full', 'sh', ...program], {
      env: { ...process.env, GLEANER_AGENT_DATA: join(directory, 'nobody') },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes.toString();
    });
    const [code] = (await once(child, 'close')) as [number | null];
    expect(stderr.match(/ENOSPC/g)).toHaveLength(1);
    expect(stderr).toMatch(/^gleaner( agent)?: Cannot write to stdout: ENOSPC: .*\n$/m);
    expect(code).toBe(1);
  });

  it('tells that a port is taken, and what to do', async () => {
    const port = new URL(notGleanerUrl).port;
    const { code, stderr } = await gleaner(['demo', '--exit', '--port', port]);
    expect(stderr).toContain(
      `port ${port} (--port, GLEANER_PORT) is in use: choose another, or 0 for a free one`,
    );
    expect(stderr).not.toMatch(STACK);
    expect(code).toBe(1);
  });
});

describe.concurrent('the coordinator, started by itself', () => {
  async function coordinator(...args: string[]): Promise<{ code: number | null; said: string }> {
    const child = spawn(process.execPath, [COORDINATOR, ...args], {
      env: { ...process.env, GLEANER_DATA: join(directory, 'coordinator'), GLEANER_PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        said += bytes.toString();
        // It should not have come this far.
        if (said.includes(' is ready at ')) child.kill();
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, said };
  }

  it('refuses arguments that it would have to pass by', async () => {
    const { code, said } = await coordinator('--port', '9000');
    expect(said).toContain('--port 9000: this program knows no such argument');
    expect(said).toContain('docs/operating.md');
    expect(code).toBe(2);
  });

  it('starts nothing where it is only asked for help', async () => {
    const { code, said } = await coordinator('--help');
    expect(said).toContain('--json');
    expect(code).toBe(0);
    expect(await readdir(directory)).not.toContain('coordinator');
  });
});

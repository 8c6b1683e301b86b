import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Blob } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { CliProcess, gleaner, gleanerJson } from './cli-support/cli-process.js';
import { Forwarder } from './cli-support/forwarder.js';
import { noProcessUses, processesUsing } from './cli-support/processes-using.js';

const COORDINATOR = fileURLToPath(new URL('../../apps/coordinator/dist/main.js', import.meta.url));

let application: TestApplication;
let directory: string;
let scientist: Record<string, string>;
beforeAll(async () => {
  application = await createTestApplication();
  directory = await mkdtemp(join(tmpdir(), 'gleaner-cli-'));
  await chmod(directory, 0o711);
  const operator = { GLEANER_URL: application.url, GLEANER_TOKEN: application.operatorToken };
  const { account, token } = await gleanerJson<{ account: { id: string }; token: string }>(
    ['account', 'create', 'Jocelyn', '--scopes', 'submit'],
    operator,
  );
  await gleanerJson(['project', 'create', 'pulsars', '--name', 'Pulsars'], operator);
  await gleanerJson(['project', 'approve', 'pulsars'], operator);
  await gleanerJson(['project', 'add-scientist', 'pulsars', account.id], operator);
  scientist = { GLEANER_URL: application.url, GLEANER_TOKEN: token };
});
afterAll(async () => {
  await application.close();
  await rm(directory, { recursive: true, force: true });
});

describe('gleaner blob', () => {
  it('uploads a file in pieces and downloads the same bytes', async () => {
    const content = randomBytes(20_000_000);
    const file = join(directory, 'tape.bin');
    await writeFile(file, content);
    const [blob] = await gleanerJson<Blob[]>(['blob', 'put', file], scientist);
    expect(blob?.sizeBytes).toBe(content.length);
    const copy = join(directory, 'copy.bin');
    const { code } = await gleaner(['blob', 'get', blob?.blobId ?? '', '-o', copy], scientist);
    expect(code).toBe(0);
    expect((await readFile(copy)).equals(content)).toBe(true);
  });

  it('is described rather than written into JSON, and comes with its digest when it goes to a file', async () => {
    const content = randomBytes(1000);
    const file = join(directory, 'small.bin');
    await writeFile(file, content);
    const [blob] = await gleanerJson<Blob[]>(['blob', 'put', file], scientist);
    const id = blob?.blobId ?? '';
    const about = { blobId: id, sizeBytes: 1000, sha256: id.slice('sha256:'.length) };
    expect(await gleanerJson(['blob', 'get', id], scientist)).toEqual({ ...about, file: null });
    const copy = join(directory, 'small-copy.bin');
    expect(await gleanerJson(['blob', 'get', id, '-o', copy], scientist)).toEqual({ ...about, file: copy });
    expect((await readFile(copy)).equals(content)).toBe(true);
  });

  it('goes up and comes down through a proxy that puts a prefix before every path', async () => {
    await using forwarder = await Forwarder.before(application.url, '/science');
    const behind = { ...scientist, GLEANER_URL: forwarder.url };
    const content = randomBytes(50_000);
    const file = join(directory, 'behind.bin');
    await writeFile(file, content);
    const [blob] = await gleanerJson<Blob[]>(['blob', 'put', file], behind);
    expect(blob?.sizeBytes).toBe(content.length);
    expect(await gleanerJson(['blob', 'get', blob?.blobId ?? ''], behind)).toMatchObject({
      sizeBytes: 50_000,
    });
  });

  it('stores the content of a packed file with --gunzip', async () => {
    const file = join(directory, 'genomes.fasta.gz');
    await writeFile(file, gzipSync('>a\nACGT\n'));
    const { stdout } = await gleaner(['blob', 'put', '--gunzip', file], scientist);
    const answer = await gleaner(['blob', 'get', stdout.trim()], scientist);
    expect(answer.stdout).toBe('>a\nACGT\n');
  });

  it('names the file that it cannot read', async () => {
    const { code, stderr } = await gleaner(['blob', 'put', '/nowhere/tape'], scientist);
    expect(stderr).toContain('Cannot read /nowhere/tape');
    expect(code).toBe(2);
  });
});

describe('gleaner job', () => {
  it('shows every fault of a job file with its place, before anything is sent', async () => {
    const file = join(directory, 'bad.yaml');
    const job = [
      'name: bad',
      'app: hunt@1',
      'split:',
      '  - {kind: range, name: p, from: 1, to: 9}',
      'args: ["{q.from}"]',
    ];
    await writeFile(file, `${job.join('\n')}\n`);
    const { code, stderr } = await gleaner(['job', 'submit', file], scientist);
    expect(stderr).toContain('/split/0/step: give exactly one of "step" and "units"');
    expect(stderr).not.toContain('Invalid input');
    expect(code).toBe(2);
  });

  it('says how to find a coordinator when none answers', async () => {
    const { code, stderr } = await gleaner(['job', 'list', '--url', 'http://127.0.0.1:9']);
    expect(stderr).toContain('gleaner up');
    expect(code).toBe(5);
  });
});

describe('a problem document', () => {
  it('is printed with the place in the request that is wrong', async () => {
    const { code, stderr } = await gleaner(['project', 'create', 'Not A Slug'], scientist);
    expect(stderr).toMatch(/^ {2}\/slug: must be 1 to 63 lower-case letters/m);
    expect(code).toBe(3);
  });

  it('tells that a token is not known', async () => {
    const unknown = { ...scientist, GLEANER_TOKEN: `gln_${'x'.repeat(43)}` };
    const { code, stderr } = await gleaner(['project', 'create', 'quasars'], unknown);
    expect(stderr).toContain('The token is unknown, expired or revoked.');
    expect(code).toBe(3);
  });
});

describe('gleaner up', () => {
  /** One for all: what one test leaves, the next one goes on with. */
  let data: string;
  beforeAll(() => {
    data = join(directory, 'up');
  });

  it('serves with everything embedded, and leaves no process behind', async () => {
    await using up = new CliProcess(['up', '--port', '0', '--data', data, '--json']);
    const ready = JSON.parse(await up.said('\n')) as { url: string; operatorToken: string };
    const accounts = await fetch(new URL('/v1/accounts', ready.url), {
      headers: { authorization: `Bearer ${ready.operatorToken}` },
    });
    expect(accounts.status).toBe(200);
    expect(processesUsing(data).length).toBeGreaterThanOrEqual(3);
    up.kill('SIGINT');
    expect((await up.ended).code).toBe(0);
    await noProcessUses(data);
  });

  it('leaves no process behind even when it is killed', async () => {
    await using up = new CliProcess(['up', '--port', '0', '--data', data, '--json']);
    await up.said('\n');
    up.kill('SIGKILL');
    await up.ended;
    await noProcessUses(data);
  });

  it('leaves no process behind when its coordinator is killed', async () => {
    await using up = new CliProcess(['up', '--port', '0', '--data', data, '--json']);
    await up.said('\n');
    const coordinator = processesUsing(data).find((process) => process.includes(COORDINATOR));
    process.kill(Number.parseInt(coordinator ?? '', 10), 'SIGKILL');
    const { code, stderr } = await up.ended;
    expect(stderr).toContain('the coordinator ended unexpectedly (SIGKILL)');
    expect(code).toBe(1);
    expect(processesUsing(data)).toEqual([]);
  });

  it('is refused a directory that another one serves from, and told who has it', async () => {
    await using first = new CliProcess(['up', '--port', '0', '--data', data, '--json']);
    const { url } = JSON.parse(await first.said('\n')) as { url: string };
    const { code, stderr } = await gleaner(['up', '--port', '0', '--data', data]);
    expect(stderr).toMatch(
      /the data directory \S+ is in use by another coordinator \(process \d+, since .*\)\. Stop that one first/,
    );
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(1);
    expect((await fetch(new URL('/health/ready', url))).status).toBe(200);
  });

  it.each<[string, NodeJS.Signals[]]>([
    ['its stop is cut short', ['SIGTERM', 'SIGINT']],
    ['its terminal is closed', ['SIGHUP']],
  ])('leaves no process behind when %s', async (_what, signals) => {
    const child = spawn(process.execPath, [COORDINATOR], {
      env: { ...process.env, GLEANER_PORT: '0', GLEANER_DATA: data, GLEANER_LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    for (const signal of signals) child.kill(signal);
    await once(child, 'exit');
    await noProcessUses(data);
  });

  it.each(['--port', 'GLEANER_PORT'])(
    'says why it cannot start, before it makes anything (%s)',
    async (by) => {
      const { port } = application.coordinator;
      const { code, stderr } = await gleaner(
        [
          'up',
          ...(by === '--port' ? [by, `${port}`] : []),
          '--host',
          '127.0.0.1',
          '--data',
          join(directory, 'up-port'),
        ],
        by === '--port' ? {} : { [by]: `${port}` },
      );
      expect(stderr).toBe(
        `gleaner: port ${port} (--port, GLEANER_PORT) is in use: choose another, or 0 for a free one\n`,
      );
      expect(code).toBe(1);
      expect(existsSync(join(directory, 'up-port'))).toBe(false);
    },
  );
});

describe('gleaner', () => {
  it('tells wrong usage from failure by its exit code', async () => {
    expect((await gleaner(['job', 'submit'])).code).toBe(2);
    expect((await gleaner(['up', '--port', 'many'])).code).toBe(2);
    expect((await gleaner(['--help'])).code).toBe(0);
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AGENT, runAgent } from './agent-support/agent-process.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { hasTerminal, Terminal } from './agent-support/terminal.js';

let data: string;
let coordinator: StandInCoordinator;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-attach-'));
  coordinator = await StandInCoordinator.start();
});
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

describe('attaching', () => {
  it.each([
    ['no address at all', 'gleaner', 2, 'is not the address of a coordinator'],
    ['nothing', '', 2, 'is not the address of a coordinator'],
    ['an address without its beginning', 'localhost:8400', 2, 'give one such as https://gleaner.example'],
    ['a page of a coordinator', 'http://127.0.0.1:9/v1?a=b', 2, 'write http://127.0.0.1:9\n'],
    ['a name that nobody has', 'https://coordinator.invalid', 5, 'cannot be reached'],
    ['a port where nobody listens', 'http://127.0.0.1:9', 5, 'cannot be reached'],
  ])('to %s is refused', async (_what, url, exitCode, message) => {
    const { code, stderr } = await runAgent(['attach', url, '--anonymous', '--data', data]);
    expect(stderr).toContain(message);
    // Nobody is asked to agree to anything with nobody.
    expect(stderr).not.toContain('network address');
    expect(code).toBe(exitCode);
  });

  it('to a web site that is no coordinator is refused', async () => {
    const site = createServer((_request, response) => response.end('<html>Welcome</html>'));
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const address = site.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, stderr } = await runAgent([
      'attach',
      `http://127.0.0.1:${port}`,
      '--anonymous',
      '--data',
      data,
    ]);
    site.close();
    expect(stderr).toContain("not Gleaner's");
    expect(code).toBe(5);
  });

  it.skipIf(!hasTerminal()).each([
    ['y', true],
    ['', false],
  ])(
    'asks at a terminal about the exchange with volunteers, and takes "%s" as an answer',
    async (answer, agreed) => {
      const command = [process.execPath, AGENT, 'attach', coordinator.url, '--anonymous', '--data', data];
      await using terminal = new Terminal(command, 100);
      await terminal.shows(/Take part\?/);
      terminal.type(`${answer}\n`);
      expect(await terminal.ended).toBe(0);
      expect(terminal.said).toContain('see your network address and which inputs you have');
      const { projects } = JSON.parse(await readFile(join(data, 'attachment.json'), 'utf8')) as {
        projects: Array<{ p2p: boolean }>;
      };
      expect(projects.map(({ p2p }) => p2p)).toEqual([agreed]);
    },
  );

  it.skipIf(!hasTerminal()).each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('is left by %s at that question, and says so in a line', async (_what, key) => {
    const command = [process.execPath, AGENT, 'attach', coordinator.url, '--anonymous', '--data', data];
    await using terminal = new Terminal(command, 100);
    await terminal.shows(/Take part\?/);
    terminal.type(key);
    expect(await terminal.ended).toBe(1);
    expect(terminal.said).toContain('gleaner agent: not attached: the question was not answered\r\n');
    expect(terminal.said).not.toContain('AbortError');
  });

  it('with a token that no header takes says that it is the token', async () => {
    const args = ['attach', coordinator.url, '--token', 'gln_…', '--data', data];
    const { code, stderr } = await runAgent(args);
    expect(stderr).toContain('the token (--token, GLEANER_TOKEN) holds characters that no token has');
    expect(code).toBe(2);
  });

  it('tells in its help what the machine gets, and where it is kept', async () => {
    const { code, stdout } = await runAgent(['attach', '--help'], { GLEANER_AGENT_DATA: data });
    expect(code).toBe(0);
    expect(stdout).toContain('a token of its own with the scope "work"');
    expect(stdout).toContain(`in the data directory (${data})`);
  });

  it('takes the address from the environment where none is given, and asks for one where there is none', async () => {
    const args = ['attach', '--anonymous', '--data', data];
    const { code, stderr } = await runAgent(args, { GLEANER_URL: '' });
    expect(code).toBe(2);
    expect(stderr).toContain('give the address of a coordinator, or set GLEANER_URL');
    expect((await runAgent(args, { GLEANER_URL: coordinator.url })).code).toBe(0);
    const { code: resumed, stderr: why } = await runAgent(['resume', '--for', '2h', '--data', data]);
    expect(resumed).toBe(2);
    expect(why).toContain('how long --always holds');
  });

  it('to a coordinator that has the machine already is refused, however its address is written', async () => {
    const attachTo = (url: string) => runAgent(['attach', url, '--anonymous', '--data', data]);
    expect((await attachTo(coordinator.url)).code).toBe(0);
    for (const url of [`${coordinator.url}/`, coordinator.url.toUpperCase()]) {
      const { code, stderr } = await attachTo(url);
      expect(stderr).toContain('is already attached to');
      expect(code).toBe(2);
    }
    expect((await attachTo(`${coordinator.url}/v1`)).stderr).toContain(`write ${coordinator.url}\n`);
    const { projects } = JSON.parse(await readFile(join(data, 'attachment.json'), 'utf8')) as {
      projects: unknown[];
    };
    expect(projects).toHaveLength(1);
  });

  it('to a coordinator that an older agent kept under a longer address is refused as well', async () => {
    const attach = ['attach', coordinator.url, '--anonymous', '--data', data];
    expect((await runAgent(attach)).code).toBe(0);
    const path = join(data, 'attachment.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(`${coordinator.url}/`, `${coordinator.url}/v1`));
    expect((await runAgent(attach)).stderr).toContain(`is already attached to ${coordinator.url}/v1`);
    const { code, stderr } = await runAgent(['detach', coordinator.url, '--data', data]);
    expect(stderr).toContain('Detached from');
    expect(code).toBe(0);
  });

  it('ends with the command that starts this very agent', async () => {
    const there = await runAgent(['attach', coordinator.url, '--anonymous', '--data', data]);
    expect(there.stderr).toContain(`Start computing with: gleaner agent run --data ${data}\n`);
    await rm(join(data, 'attachment.json'));
    const usual = await runAgent(['attach', coordinator.url, '--anonymous'], { GLEANER_AGENT_DATA: data });
    expect(usual.stderr).toContain('Start computing with: gleaner agent run\n');
  });

  it('is refused when it is to be anonymous and with a token', async () => {
    const args = ['attach', coordinator.url, '--anonymous', '--token', 'gln_x', '--data', data];
    const { code, stderr } = await runAgent(args);
    expect(stderr).toContain('not both');
    expect(code).toBe(2);
  });
});

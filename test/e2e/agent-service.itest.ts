import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAgent, type Ended } from './agent-support/agent-process.js';
import { FakeSystemctl } from './agent-support/fake-systemctl.js';
import { statusWhere } from './agent-support/running-agent.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';

const UNIT = 'gleaner-agent.service';
const STARTED = ['--user daemon-reload', `--user enable --now ${UNIT}`];
const ENDED = [`--user disable --now ${UNIT}`];

let directory: string;
let home: string;
let data: string;
let unitPath: string;
let systemctl: FakeSystemctl;
let coordinator: StandInCoordinator;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-service-'));
  home = join(directory, 'home of Ada');
  await mkdir(home);
  data = join(home, '.local', 'share', 'gleaner-agent');
  unitPath = join(home, '.config', 'systemd', 'user', UNIT);
  systemctl = await FakeSystemctl.into(join(directory, 'bin'));
  coordinator = await StandInCoordinator.start();
});
afterEach(async () => {
  await systemctl[Symbol.asyncDispose]();
  await coordinator[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** At a shell of a volunteer who has set nothing. */
async function agent(args: readonly string[], more: Record<string, string> = {}): Promise<Ended> {
  const path = `${systemctl.directory}:/usr/bin:/bin`;
  const none = { XDG_DATA_HOME: '', XDG_CONFIG_HOME: '', GLEANER_AGENT_DATA: '', DISPLAY: '' };
  return runAgent(args, { ...none, HOME: home, PATH: path, ...more });
}

async function attach(...more: readonly string[]): Promise<void> {
  const { code } = await agent(['attach', coordinator.url, '--anonymous', '--no-p2p', ...more]);
  expect(code).toBe(0);
}

/** Process id of the agent that the service has started, another one than that. */
async function startedPid(otherThan = 0): Promise<number> {
  const { pid } = await statusWhere(data, (status) => status.pid !== otherThan && status.phase !== 'stopped');
  return pid;
}

// Some of them start a dozen programs one after the other: on a busy machine each may take seconds.
describe.skipIf(process.platform !== 'linux')('the service', { timeout: 400_000 }, () => {
  it('is installed, started, replaced by a newer one, ended and removed, and nothing is left', async () => {
    expect(await agent(['install'])).toMatchObject({ code: 3 });
    expect(await systemctl.takeCalls()).toEqual([]);
    await attach();

    const { code, stdout } = await agent(['install']);
    expect(code).toBe(0);
    expect(stdout).toContain(`wrote ${unitPath}\nran systemctl --user daemon-reload\n`);
    expect(stdout).toContain(`Its log: ${join(data, 'logs', 'agent.log')}`);
    expect(await systemctl.takeCalls()).toEqual(STARTED);
    expect((await stat(unitPath)).mode & 0o777).toBe(0o600);
    const first = await startedPid();
    const upgrade = await agent(['install', '--dry-run']);
    expect(upgrade.stdout).toContain(
      `would run systemctl ${ENDED[0] ?? ''}\nwould run systemctl ${STARTED[0] ?? ''}\n`,
    );
    expect(await systemctl.takeCalls()).toEqual([]);

    expect((await agent(['install'])).code).toBe(0);
    expect(await systemctl.takeCalls()).toEqual([...ENDED, ...STARTED]);
    await startedPid(first);

    const uninstalled = await agent(['uninstall', '--json']);
    expect(uninstalled.code).toBe(0);
    const ran = [...ENDED, '--user daemon-reload'];
    expect(JSON.parse(uninstalled.stdout)).toMatchObject({
      dryRun: false,
      service: UNIT,
      remove: [unitPath],
      run: ran.map((line) => ['systemctl', ...line.split(' ')]),
    });
    expect(await systemctl.takeCalls()).toEqual(ran);
    await statusWhere(data, ({ phase }) => phase === 'stopped');
    expect(await readdir(home)).toEqual(['.local']);
    expect(await readFile(join(data, 'logs', 'agent.log'), 'utf8')).toContain('stopping cause=SIGTERM');

    const again = await agent(['uninstall']);
    expect(again).toMatchObject({ code: 0, stdout: `${UNIT} is not installed: nothing to take back\n` });
    expect(await systemctl.takeCalls()).toEqual([]);
    expect((await agent(['uninstall', '--remove-data'])).stdout).toBe(`removed ${data}\n`);
    expect(await readdir(home)).toEqual([]);
  });

  it('of one directory is another one’s neither in name nor in data', async () => {
    const other = join(home, 'other');
    await attach('--data', other);
    expect((await agent(['install'], { GLEANER_AGENT_DATA: other })).code).toBe(0);
    const [, enabled = ''] = await systemctl.takeCalls();
    const [unit = ''] = /gleaner-agent-[0-9a-f]{8}\.service$/.exec(enabled) ?? [];
    expect(await readFile(join(home, '.config', 'systemd', 'user', unit), 'utf8')).toContain(`"${other}"`);
    expect((await agent(['uninstall'])).stdout).toContain(`${UNIT} is not installed`);
    const { code, stdout } = await agent(['uninstall', '--remove-data', '--data', other]);
    expect(code).toBe(0);
    expect(stdout).toContain(`removed ${other}`);
    expect(await readdir(home)).toEqual([]);
  });

  it('goes the way to the network that it was installed from', async () => {
    await attach();
    const way = { https_proxy: 'http://proxy.example:3128', NODE_EXTRA_CA_CERTS: '/etc/ssl/company.pem' };
    expect((await agent(['install'], way)).code).toBe(0);
    const unit = await readFile(unitPath, 'utf8');
    for (const [name, value] of Object.entries(way))
      expect(unit).toContain(`Environment="${name}=${value}"\n`);
  });

  it('that systemd refuses is not half installed, and a former one is put back', async () => {
    await attach();
    await systemctl.refuse('Failed to connect to bus: No medium found');
    const { code, stderr } = await agent(['install']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'gleaner agent: "systemctl --user daemon-reload" failed: Failed to connect to bus: No medium found; nothing is installed: ',
    );
    expect(stderr).toContain('start "gleaner agent run"');
    expect(await readdir(home)).toEqual(['.local']);

    await systemctl.refuse('');
    expect((await agent(['install'])).code).toBe(0);
    const before = await readFile(unitPath, 'utf8');
    await systemctl.refuse('Access denied');
    const upgraded = await agent(['install'], { https_proxy: 'http://proxy.example:3128' });
    expect(upgraded.code).toBe(1);
    expect(upgraded.stderr).toContain('Access denied; the service is as it was before');
    expect(await readFile(unitPath, 'utf8')).toBe(before);

    const uninstalled = await agent(['uninstall']);
    expect(uninstalled.code).toBe(0);
    expect(uninstalled.stderr).toContain(`"systemctl ${ENDED[0] ?? ''}" failed: Access denied`);
    expect(await readdir(home)).toEqual(['.local']);
  });

  it('is refused with what to do instead where there is no systemd', async () => {
    await attach();
    const { code, stderr } = await agent(['install'], { PATH: join(directory, 'nothing') });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^gleaner agent: there is no systemctl on this machine; nothing is installed: .*\n$/,
    );
    expect(await readdir(home)).toEqual(['.local']);
  });

  it('takes no directory for the agent’s that is not, and leaves what is not the agent’s', async () => {
    expect(await agent(['attach', coordinator.url, '--anonymous', '--data', home])).toMatchObject({
      code: 2,
    });
    await mkdir(join(home, 'projects', 'thesis'), { recursive: true });
    const stranger = await agent(['uninstall', '--remove-data', '--data', home]);
    expect(stranger.stderr).toContain('holds nothing of an agent');
    expect(await readdir(join(home, 'projects'))).toEqual(['thesis']);
    await attach();
    await mkdir(join(data, 'notes'));
    const { code, stderr } = await agent(['uninstall', '--remove-data']);
    expect(code).toBe(0);
    expect(stderr).toContain('it holds other files, which were left');
    expect(await readdir(data)).toEqual(['notes']);
  });
});

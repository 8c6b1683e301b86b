import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentProcess, runAgent, type Ended } from './agent-support/agent-process.js';
import { statusWhere } from './agent-support/running-agent.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { TlsAuthority } from './agent-support/tls-authority.js';

const DAY_MS = 24 * 3600 * 1000;
const YEAR_MS = 365 * DAY_MS;

let data: string;
let authority: TlsAuthority;
let authorityPath: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-tls-'));
  authority = new TlsAuthority();
  authorityPath = join(data, 'authority.pem');
  await writeFile(authorityPath, authority.certificate);
});
afterEach(async () => {
  await rm(data, { recursive: true, force: true });
});

async function attach(
  coordinator: StandInCoordinator,
  environment: Record<string, string> = {},
): Promise<Ended> {
  const args = ['attach', coordinator.url, '--anonymous', '--no-p2p', '--data', join(data, 'agent')];
  return runAgent(args, environment);
}

it.each([
  ['NODE_EXTRA_CA_CERTS names', 'NODE_EXTRA_CA_CERTS'],
  // How a test makes a system's store its own: Node reads the one of OpenSSL from there.
  ['is in the system’s store', 'SSL_CERT_FILE'],
])('an agent works for a coordinator of a private authority that %s', async (_how, variable) => {
  await using coordinator = await StandInCoordinator.start('private', authority.serverFrom(-DAY_MS, DAY_MS));
  coordinator.addTask('1.0', helloModule('over https\n'));
  const environment = { [variable]: authorityPath };
  expect(await attach(coordinator, environment)).toMatchObject({ code: 0 });
  const run = ['run', '--json', '--always', '--once', '--cores', '1', '--data', join(data, 'agent')];
  await using agent = new AgentProcess(run, environment);
  expect(await agent.ended).toMatchObject({ code: 0 });
  expect(coordinator.reports).toMatchObject([{ taskId: '1.0', outcome: 'ok' }]);
});

it('a coordinator whose certificate comes to be of an authority that only the system knows is worked for on', async () => {
  const before = new TlsAuthority();
  const beforePath = join(data, 'before.pem');
  await writeFile(beforePath, before.certificate);
  await using coordinator = await StandInCoordinator.start('moving', before.serverFrom(-DAY_MS, DAY_MS));
  const environment = { NODE_EXTRA_CA_CERTS: beforePath, SSL_CERT_FILE: authorityPath };
  expect(await attach(coordinator, environment)).toMatchObject({ code: 0 });
  const run = ['run', '--json', '--always', '--cores', '1', '--data', join(data, 'agent')];
  await using _ = new AgentProcess(run, environment);
  await coordinator.until(() => coordinator.workCalls > 0);
  coordinator.present(authority.serverFrom(-DAY_MS, DAY_MS));
  coordinator.addTask('1.0', helloModule('by another certificate\n'));
  await coordinator.until(() => coordinator.reports.length === 1);
  expect(coordinator.reports).toMatchObject([{ taskId: '1.0', outcome: 'ok' }]);
});

it('a coordinator whose certificate comes to be of an authority that nobody knows is waited for, and named as such', async () => {
  await using coordinator = await StandInCoordinator.start('moving', authority.serverFrom(-DAY_MS, DAY_MS));
  const environment = { NODE_EXTRA_CA_CERTS: authorityPath };
  expect(await attach(coordinator, environment)).toMatchObject({ code: 0 });
  const run = ['run', '--json', '--always', '--cores', '1', '--data', join(data, 'agent')];
  await using _ = new AgentProcess(run, environment);
  await coordinator.until(() => coordinator.workCalls > 0);
  coordinator.present(new TlsAuthority().serverFrom(-DAY_MS, DAY_MS));
  const { phase } = await statusWhere(join(data, 'agent'), ({ reason }) =>
    /^waiting: https:.* an authority that this machine does not trust: .*; trying again in \d+ s$/.test(
      reason,
    ),
  );
  expect(phase).toBe('waiting');
  coordinator.present(authority.serverFrom(-DAY_MS, DAY_MS));
  coordinator.addTask('1.0', helloModule('by the first certificate\n'));
  await coordinator.until(() => coordinator.reports.length === 1);
});

it('an authority that nobody trusts is refused, and the volunteer is told what to do', async () => {
  await using coordinator = await StandInCoordinator.start('private', authority.serverFrom(-DAY_MS, DAY_MS));
  const { code, stderr } = await attach(coordinator);
  expect(code).toBe(5);
  expect(stderr).toContain('an authority that this machine does not trust');
  expect(stderr).toContain('NODE_EXTRA_CA_CERTS');
});

// To a machine whose clock is a year off, a certificate that holds today looks like one of these.
it.each([
  ['behind', YEAR_MS, YEAR_MS + DAY_MS, 'is not valid yet'],
  ['ahead', -YEAR_MS, -YEAR_MS + DAY_MS, 'is no longer valid'],
])('a clock that is a year %s is named as what may be wrong', async (_what, fromMs, untilMs, message) => {
  await using coordinator = await StandInCoordinator.start('later', authority.serverFrom(fromMs, untilMs));
  const { code, stderr } = await attach(coordinator, { NODE_EXTRA_CA_CERTS: authorityPath });
  expect(code).toBe(5);
  expect(stderr).toContain(message);
  expect(stderr).toContain(`this machine's clock, which says ${new Date().getUTCFullYear()}-`);
});

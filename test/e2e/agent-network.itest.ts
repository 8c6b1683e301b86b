import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { RecordingProxy } from './agent-support/recording-proxy.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { SERVER_NAME, TlsAuthority } from './agent-support/tls-authority.js';

const DAY_MS = 24 * 3600 * 1000;

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-proxy-'));
});
afterEach(async () => {
  await rm(data, { recursive: true, force: true });
});

function portOf(url: string): number {
  return Number(new URL(url).port);
}

async function attach(url: string, directory: string, env: Record<string, string>): Promise<void> {
  const args = ['attach', url, '--anonymous', '--json', '--data', join(data, directory)];
  expect(await runAgent(args, env)).toMatchObject({ code: 0, stderr: '' });
}

/** Computes a task of that coordinator, by the directory that is attached to it. */
async function computeOne(
  coordinator: StandInCoordinator,
  directory: string,
  env: Record<string, string>,
): Promise<void> {
  const before = coordinator.reports.length;
  coordinator.addTask(`${before + 1}.0`, helloModule('by way of a proxy\n'));
  const run = ['run', '--json', '--always', '--once', '--cores', '1', '--data', join(data, directory)];
  expect(await new AgentProcess(run, env).ended).toMatchObject({ code: 0 });
  expect(coordinator.reports.slice(before)).toMatchObject([{ outcome: 'ok' }]);
}

describe('an agent goes through the proxy that the environment names, and past it where NO_PROXY says so', () => {
  it('to a coordinator over http', async () => {
    await using coordinator = await StandInCoordinator.start();
    await using proxy = await RecordingProxy.to(portOf(coordinator.url));
    const env = { http_proxy: proxy.url, no_proxy: 'elsewhere.example' };
    // A name that only the proxy can reach.
    await attach(`http://${SERVER_NAME}`, 'through', env);
    await computeOne(coordinator, 'through', env);
    expect(proxy.asked.join(' ')).toContain(SERVER_NAME);
    const before = proxy.asked.length;
    await attach(coordinator.url, 'past', { ...env, no_proxy: '127.0.0.1' });
    expect(proxy.asked.length).toBe(before);
  });

  // The agent checks the certificate itself: the proxy sees nothing but the coordinator's name.
  it('to a coordinator over https, in a tunnel', async () => {
    const authority = new TlsAuthority();
    const authorityPath = join(data, 'authority.pem');
    await writeFile(authorityPath, authority.certificate);
    await using coordinator = await StandInCoordinator.start(
      'private',
      authority.serverFrom(-DAY_MS, DAY_MS),
    );
    await using proxy = await RecordingProxy.to(portOf(coordinator.url));
    const env = {
      HTTPS_PROXY: proxy.url,
      NO_PROXY: 'elsewhere.example',
      // Of an authority that only the system knows: it is trusted through the tunnel as well.
      SSL_CERT_FILE: authorityPath,
    };
    await attach(`https://${SERVER_NAME}`, 'through', env);
    await computeOne(coordinator, 'through', env);
    expect(new Set(proxy.asked)).toEqual(new Set([`${SERVER_NAME}:443`]));
    const before = proxy.asked.length;
    const past = { ...env, NO_PROXY: '127.0.0.1' };
    await attach(coordinator.url, 'past', past);
    await computeOne(coordinator, 'past', past);
    expect(proxy.asked.length).toBe(before);
  });
});

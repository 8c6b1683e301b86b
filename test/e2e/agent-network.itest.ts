import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runAgent } from './agent-support/agent-process.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';

it('an agent goes through the proxy that the environment names, and past it where NO_PROXY says so', async () => {
  const data = await mkdtemp(join(tmpdir(), 'gleaner-proxy-'));
  await using coordinator = await StandInCoordinator.start();
  const { port: coordinatorPort } = new URL(coordinator.url);
  const asked: string[] = [];
  const proxy = createServer((from, to) => {
    asked.push(from.url ?? '');
    const onward = request({ port: coordinatorPort, method: from.method, headers: from.headers });
    onward.on('response', (answer) => answer.pipe(to.writeHead(answer.statusCode ?? 500, answer.headers)));
    onward.on('error', () => to.destroy());
    from.pipe(onward);
  });
  proxy.on('connect', ({ url }, socket, head) => {
    asked.push(url ?? '');
    const onward = connect(Number(coordinatorPort), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const proxyPort = typeof address === 'object' && address !== null ? address.port : 0;
  const env = { http_proxy: `http://127.0.0.1:${proxyPort}`, no_proxy: 'elsewhere.example' };
  try {
    // A name that only the proxy can reach.
    const through = ['attach', 'http://coordinator.invalid', '--anonymous', '--json', '--data', data];
    expect(await runAgent(through, env)).toMatchObject({ code: 0 });
    expect(asked.join(' ')).toContain('coordinator.invalid');
    const before = asked.length;
    const past = ['attach', coordinator.url, '--anonymous', '--json', '--data', join(data, 'past')];
    expect(await runAgent(past, { ...env, no_proxy: '127.0.0.1' })).toMatchObject({ code: 0 });
    expect(asked.length).toBe(before);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
    await rm(data, { recursive: true, force: true });
  }
});

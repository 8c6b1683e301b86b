import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, BUILT_AGENT, runAgent } from '../e2e/agent-support/agent-process.js';
import {
  eventually,
  listeningPorts,
  statusWhere,
  swarmProcessOf,
} from '../e2e/agent-support/running-agent.js';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { OriginGate } from '../e2e/swarm-support.js';
import { anApprovedApp, anInput, completeJob } from '../e2e/volunteering/science.js';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';
import { RoutedNetworks, whyNoNamespaces, type IsolatedNetwork } from './namespaces.js';

const INPUT_BYTES = 3_000_000;
const PORT = 8400;
/** Whole agents one after the other, each with two more processes. */
const LONG = { timeout: 300_000 };
/** More than a refused handshake takes, far less than a chunk. */
const HANDSHAKE_BYTES = 16 * 1024;
const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const obstacle = whyNoNamespaces();
if (obstacle !== null) console.warn(`SKIPPED: agents on separate networks: ${obstacle}`);

describe.skipIf(obstacle !== null)('agents on separate networks', () => {
  const made = new AsyncDisposableStack();
  let application: TestApplication;
  let directory: string;
  let networks: RoutedNetworks;
  let gate: OriginGate;
  let coordinatorUrl: string;

  beforeAll(async () => {
    application = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
    made.defer(() => application.close());
    directory = await mkdtemp(join(tmpdir(), 'gleaner-agents-'));
    made.defer(() => rm(directory, { recursive: true, force: true }));
    networks = made.use(await RoutedNetworks.make(4));
    const socket = join(directory, 'coordinator.sock');
    gate = made.use(await OriginGate.before(application, socket));
    const network = networks.network(2);
    coordinatorUrl = `http://${network.address}:${PORT}`;
    made.use(await aRelay(network, socket));
  });
  afterAll(() => made.disposeAsync());

  /** Attached with its volunteer's consent to the swarm, and at work. */
  async function anAgent(name: string, { launcher }: IsolatedNetwork) {
    const { token } = await aPerson(application, { name, scopes: ['work'] });
    const data = join(directory, name);
    const command = [...launcher, ...BUILT_AGENT];
    const attach = ['attach', coordinatorUrl, '--token', token, '--p2p', '--name', name, '--data', data];
    const { code, stderr } = await runAgent(attach, {}, command);
    expect(code, stderr).toBe(0);
    const agent = made.use(
      new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data], {}, command),
    );
    return { agent, data };
  }

  /** The ports of an agent's swarm process, as soon as it listens at so many. */
  const listening = (agent: AgentProcess, count: number): Promise<number[]> =>
    eventually(() => {
      const pid = swarmProcessOf(agent.pid);
      const ports = pid === undefined ? [] : listeningPorts(pid);
      return ports.length === count ? ports : undefined;
    });

  it(
    'compute on what the other one has, and a stranger without a certificate gets nothing',
    LONG,
    async () => {
      const science = await anApprovedApp(application, 'hello', helloModule('hello\n').original);
      const data = await anInput(science, randomBytes(INPUT_BYTES));
      const completing = completeJob(science, {
        name: 'across',
        app: science.app,
        inputs: { data },
        split: [{ kind: 'range', name: 'n', from: 0, to: 1, step: 1 }],
      });
      const first = await anAgent('first', networks.network(0));
      await statusWhere(first.data, ({ finishedTasks }) => finishedTasks === 1);
      gate.isClosed = true;
      const [sent, received] = [await networks.network(0).traffic(), await networks.network(1).traffic()];
      const second = await anAgent('second', networks.network(1));
      expect((await completing).answer).toBe('hello\n');
      const { swarm } = await statusWhere(
        second.data,
        (status) => (status.swarm?.fromPeersBytes ?? 0) >= INPUT_BYTES,
      );
      expect(swarm).toMatchObject({ fromPeersBytes: INPUT_BYTES, fromOriginBytes: 0 });
      const [sentThen, receivedThen] = [
        await networks.network(0).traffic(),
        await networks.network(1).traffic(),
      ];
      expect(sentThen.outOfBytes - sent.outOfBytes).toBeGreaterThan(INPUT_BYTES);
      expect(receivedThen.intoBytes - received.intoBytes).toBeGreaterThan(INPUT_BYTES);

      const [port] = await listening(first.agent, 1);
      const stranger = networks.network(3);
      const address = `/ip4/${networks.network(0).address}/tcp/${port}`;
      const [program, ...args] = [...stranger.launcher, process.execPath, beside('stranger.ts'), address];
      const { stdout } = await promisify(execFile)(program, [...args, 'let me in']);
      expect(JSON.parse(stdout)).toEqual({ receivedBytes: 0, ended: 'broken off' });
      expect((await stranger.traffic()).intoBytes).toBeLessThan(HANDSHAKE_BYTES);
    },
  );

  it('listen where their machine has moved to', LONG, async () => {
    const network = networks.network(3);
    const { agent } = await anAgent('moving', network);
    await listening(agent, 1);
    await network.addAddress('10.231.77.2');
    await listening(agent, 2);
  });
});

/** The coordinator's place in a network: whatever connects there reaches the socket. */
async function aRelay({ address, launcher }: IsolatedNetwork, socket: string): Promise<AsyncDisposable> {
  const [program, ...args] = [
    ...launcher,
    process.execPath,
    beside('relay.ts'),
    address,
    String(PORT),
    socket,
  ];
  const relay = spawn(program ?? '', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(relay, 'exit');
  const listening = once(createInterface({ input: relay.stdout }), 'line');
  const failing = ended.then(([code, signal]: unknown[]) => {
    throw new Error(`the relay ended with ${String(code ?? signal)} before it listened`);
  });
  await Promise.race([listening, failing]);
  return {
    [Symbol.asyncDispose]: async () => {
      relay.stdin.end();
      await ended;
    },
  };
}

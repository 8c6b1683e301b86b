// The P2P node's own process: strangers' bytes are parsed here, and its load never delays the agent.
import { createPublicKey } from 'node:crypto';
import { peerIdentityOf } from '../auth/index.js';
import { HttpOriginSource } from '../http-origin-source.js';
import { createLibp2pTransport } from '../links/libp2p/index.js';
import { ChunkStore } from '../store/index.js';
import type { SwarmMessage, SwarmProcessInit, SwarmRequest, SwarmResult } from './ipc.js';
import { HttpSwarmCoordinator } from './swarm-coordinator.js';
import { SwarmNode } from './swarm-node.js';

const ORIGIN_ATTEMPTS = 2;
const ORIGIN_STALL_MS = 10_000;
const ORIGIN_RETRY_MS = 250;

let node: SwarmNode | undefined;
const fetches = new Map<number, AbortController>();

process.on('message', (request: SwarmRequest) => {
  answer(request).then(
    (result) => send({ type: 'answer', id: request.id, result }),
    (error: unknown) =>
      send({
        type: 'error',
        id: request.id,
        message: error instanceof Error ? error.message : String(error),
      }),
  );
});
// The agent is gone: nobody needs the node any more.
process.on('disconnect', () => void end());
process.on('SIGTERM', () => void end());
// A terminal's Ctrl-C goes to the whole group; the agent decides when the node ends.
process.on('SIGINT', () => undefined);

async function end(): Promise<void> {
  await node?.close();
  process.exit(0);
}

async function answer(request: SwarmRequest): Promise<SwarmResult> {
  if (request.method === 'start') {
    node = await startNode(request.init);
    return { kind: 'started', addresses: node.addresses, pid: process.pid };
  }
  if (!node) throw new Error('the swarm node has not been started');
  switch (request.method) {
    case 'join':
      await node.join(request.request);
      return { kind: 'done' };
    case 'leave':
      node.leave(request.manifestId);
      return { kind: 'done' };
    case 'fetch':
      return fetchChunks(node, request);
    case 'abort-fetch':
      fetches.get(request.fetchId)?.abort();
      return { kind: 'done' };
    case 'limit':
      node.limit(request);
      return { kind: 'done' };
    case 'progress': {
      const { user, system } = process.cpuUsage();
      return { kind: 'progress', progress: node.progress(), cpuSeconds: (user + system) / 1e6 };
    }
    case 'close':
      await node.close();
      return { kind: 'done' };
  }
}

async function fetchChunks(
  owner: SwarmNode,
  { id, manifestId, indices }: Extract<SwarmRequest, { method: 'fetch' }>,
): Promise<SwarmResult> {
  const controller = new AbortController();
  fetches.set(id, controller);
  try {
    for await (const chunk of owner.fetch(manifestId, indices, controller.signal)) {
      send({ type: 'chunk', id, chunk, dataPath: owner.dataPath(manifestId) ?? '' });
    }
    return { kind: 'done' };
  } finally {
    fetches.delete(id);
  }
}

async function startNode(init: SwarmProcessInit): Promise<SwarmNode> {
  if (node) throw new Error('the swarm node has been started already');
  const identity = peerIdentityOf(init.seed);
  // The node needs the store's evictions, and the store exists first.
  let leave: (manifestId: string) => void = () => undefined;
  const store = await ChunkStore.open({
    directory: init.directory,
    quotaBytes: init.quotaBytes,
    onEvicted: (manifestId) => leave(manifestId),
  });
  const started = await SwarmNode.start({
    identity,
    certificate: init.certificate,
    coordinatorKey: createPublicKey({ key: Buffer.from(init.coordinatorKey), format: 'der', type: 'spki' }),
    store,
    openTransport: (events) =>
      createLibp2pTransport({
        ...events,
        identity,
        listen: init.listen,
        ...(init.mdnsServiceTag !== undefined && { mdnsServiceTag: init.mdnsServiceTag }),
      }),
    ...(init.coordinator && { coordinator: httpCoordinator(init.coordinator) }),
    ...(init.config && { config: init.config }),
    log: (event, fields) => send({ type: 'log', event, fields }),
  });
  leave = (manifestId) => started.leave(manifestId);
  return started;
}

function httpCoordinator(init: NonNullable<SwarmProcessInit['coordinator']>): HttpSwarmCoordinator {
  const baseUrl = new URL(init.url);
  const credentials = (): Readonly<Record<string, string>> => init.headers;
  const origin = new HttpOriginSource({
    baseUrl,
    credentials,
    retryDelayMs: () => ORIGIN_RETRY_MS,
    attempts: ORIGIN_ATTEMPTS,
    stallMs: ORIGIN_STALL_MS,
  });
  return new HttpSwarmCoordinator({ baseUrl, credentials, origin });
}

function send(message: SwarmMessage): void {
  if (process.connected) process.send?.(message);
}

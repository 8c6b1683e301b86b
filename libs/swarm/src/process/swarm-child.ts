// The P2P node's own process: strangers' bytes are parsed here, its load never delays the agent, and it has no credentials.
import { createPublicKey } from 'node:crypto';
import { peerIdentityOf } from '../auth/index.js';
import { Bitmap } from '../engine/index.js';
import { createLibp2pTransport } from '../links/libp2p/index.js';
import { ChunkData } from '../store/index.js';
import type {
  ParentMessage,
  SharedFileRequest,
  SwarmMessage,
  SwarmProcessInit,
  SwarmRequest,
  SwarmResult,
} from './ipc.js';
import { ParentCoordinator } from './parent-coordinator.js';
import { StoredNotes } from './stored-notes.js';
import { SwarmNode } from './swarm-node.js';

const coordinator = new ParentCoordinator(send);
const fetches = new Map<number, AbortController>();
const openData = new Map<string, ChunkData>();
/** Files that are being opened or closed: what is said of them meanwhile is done after that, in the order in which it was said. */
const turns = new Map<string, Promise<void>>();
const stored = new StoredNotes((manifestId, chunks) => send({ type: 'stored', manifestId, chunks }));
let node: SwarmNode | undefined;

process.on('message', (message: ParentMessage) => {
  if ('callId' in message) {
    coordinator.settle(message);
    return;
  }
  answer(message).then(
    (result) => {
      // Whoever waited for chunks counts on them.
      stored.flush();
      send({ type: 'answer', id: message.id, result });
    },
    (error: unknown) =>
      send({
        type: 'error',
        id: message.id,
        message: error instanceof Error ? error.message : String(error),
      }),
  );
});
// The agent is gone: nobody needs the node any more.
process.on('disconnect', () => void end());
process.on('SIGTERM', () => void end());
// A terminal's Ctrl-C goes to the whole group; the agent decides when the node ends.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);

async function end(): Promise<void> {
  await node?.close();
  process.exit(0);
}

async function answer(request: SwarmRequest): Promise<SwarmResult> {
  if (request.method === 'start') {
    node = await startNode(request.init);
    // What loading has left behind; nothing else may make so much for a long time.
    globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
    return { kind: 'started', addresses: node.addresses, pid: process.pid };
  }
  const owner = node;
  if (!owner) throw new Error('the swarm node has not been started');
  switch (request.method) {
    case 'join':
      await inTurn(request.request.location.manifestId, () => join(owner, request.request));
      return { kind: 'done' };
    case 'leave':
      await inTurn(request.manifestId, () => leave(owner, request.manifestId));
      return { kind: 'done' };
    case 'fetch':
      return fetchChunks(owner, request);
    case 'abort-fetch':
      fetches.get(request.fetchId)?.abort(new Error('no longer needed'));
      return { kind: 'done' };
    case 'note-stored':
      await inTurn(request.manifestId, () => owner.noteStored(request.manifestId, request.indices));
      return { kind: 'done' };
    case 'renew-certificate':
      owner.renewCertificate(request.certificate);
      return { kind: 'done' };
    case 'limit':
      owner.limit(request);
      return { kind: 'done' };
    case 'set-budget':
      owner.setBudget(request.mostExchangedBytes);
      return { kind: 'done' };
    case 'memory':
      return { kind: 'memory', memory: owner.memory };
    case 'progress': {
      const { user, system } = process.cpuUsage();
      return { kind: 'progress', progress: owner.progress(), cpuSeconds: (user + system) / 1e6 };
    }
    case 'close':
      await owner.close();
      return { kind: 'done' };
  }
}

async function inTurn(manifestId: string, action: () => Promise<void> | void): Promise<void> {
  const turn = (turns.get(manifestId) ?? Promise.resolve()).then(action);
  const settled = turn.catch(() => undefined);
  turns.set(manifestId, settled);
  try {
    await turn;
  } finally {
    if (turns.get(manifestId) === settled) turns.delete(manifestId);
  }
}

async function join(owner: SwarmNode, request: SharedFileRequest): Promise<void> {
  const { location, manifest, ticket, dataPath, have, verified } = request;
  if (owner.has(location.manifestId)) {
    owner.renewTicket(location.manifestId, ticket);
    return;
  }
  const { length: count } = manifest.hashes;
  const data = await ChunkData.open(dataPath, manifest, new Bitmap(count, have), new Bitmap(count, verified));
  try {
    openData.set(location.manifestId, data);
    owner.join({ location, manifest, ticket, data });
  } catch (error) {
    openData.delete(location.manifestId);
    await data.close();
    throw error;
  }
}

async function leave(owner: SwarmNode, manifestId: string): Promise<void> {
  owner.leave(manifestId);
  const data = openData.get(manifestId);
  openData.delete(manifestId);
  await data?.close();
}

async function fetchChunks(
  owner: SwarmNode,
  { id, manifestId, indices }: Extract<SwarmRequest, { method: 'fetch' }>,
): Promise<SwarmResult> {
  const controller = new AbortController();
  fetches.set(id, controller);
  try {
    await owner.fetch(manifestId, indices, controller.signal);
    return { kind: 'done' };
  } finally {
    fetches.delete(id);
  }
}

async function startNode(init: SwarmProcessInit): Promise<SwarmNode> {
  if (node) throw new Error('the swarm node has been started already');
  const identity = peerIdentityOf(init.seed);
  return SwarmNode.start({
    identity,
    certificate: init.certificate,
    coordinatorKey: createPublicKey({ key: Buffer.from(init.coordinatorKey), format: 'der', type: 'spki' }),
    coordinator,
    openTransport: (events) =>
      createLibp2pTransport({
        ...events,
        identity,
        listen: init.listen,
        ...(init.dialFrom !== undefined && { dialFrom: init.dialFrom }),
        ...(init.mdnsServiceTag !== undefined && { mdnsServiceTag: init.mdnsServiceTag }),
      }),
    ...(init.extraAddresses && { extraAddresses: init.extraAddresses }),
    ...(init.memory && { memory: init.memory }),
    ...(init.mostExchangedBytes !== undefined && { mostExchangedBytes: init.mostExchangedBytes }),
    onBudgetUsed: (progress) => {
      stored.flush();
      send({ type: 'budget-used', progress });
      void end();
    },
    ...(init.config && { config: init.config }),
    onStored: (manifestId, chunk) => stored.add(manifestId, chunk),
    onDamaged: (manifestId, chunk) => {
      stored.flush();
      send({ type: 'damaged', manifestId, chunk });
    },
    log: (event, fields) => send({ type: 'log', event, fields }),
  });
}

function send(message: SwarmMessage): void {
  // An agent that has just ended cannot be told: its end ends this process as well.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

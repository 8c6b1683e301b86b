// A volunteer of the benchmark that corrupts every block it sends: the ordinary node over links that lie. Started by `fork`.
import { createPublicKey } from 'node:crypto';
import { peerIdentityOf } from '@gleaner/swarm/auth';
import { HttpOriginSource } from '@gleaner/swarm';
import { createLibp2pTransport } from '@gleaner/swarm/libp2p';
import type { Link } from '@gleaner/swarm/links';
import {
  HttpSwarmCoordinator,
  SwarmNode,
  type JoinRequest,
  type SwarmProcessInit,
} from '@gleaner/swarm/process';
import { ChunkStore } from '@gleaner/swarm/store';

/** Larger than any control frame of the benchmark, smaller than a block. */
const CORRUPTED_FROM_BYTES = 32 * 1024;

export interface LiarInit {
  readonly init: SwarmProcessInit;
  readonly join: JoinRequest;
}

process.once('message', (message: LiarInit) => void lie(message));
process.on('disconnect', () => process.exit(0));

async function lie({ init, join }: LiarInit): Promise<void> {
  const identity = peerIdentityOf(init.seed);
  const baseUrl = new URL(init.coordinator?.url ?? '');
  const credentials = () => ({});
  const origin = new HttpOriginSource({ baseUrl, credentials, retryDelayMs: () => 250, attempts: 2 });
  const node = await SwarmNode.start({
    identity,
    certificate: init.certificate,
    coordinatorKey: createPublicKey({ key: Buffer.from(init.coordinatorKey), format: 'der', type: 'spki' }),
    store: await ChunkStore.open({ directory: init.directory, quotaBytes: init.quotaBytes }),
    openTransport: async (events) => {
      const transport = await createLibp2pTransport({
        ...events,
        identity,
        listen: init.listen,
        onLink: (link) => events.onLink(lying(link)),
      });
      return {
        get addresses() {
          return transport.addresses;
        },
        dial: async (address, signal) => lying(await transport.dial(address, signal)),
        close: () => transport.close(),
      };
    },
    coordinator: new HttpSwarmCoordinator({ baseUrl, credentials, origin }),
  });
  await node.join(join);
  const indices = join.manifest.hashes.map((_, index) => index);
  for await (const _ of node.fetch(join.location.manifestId, indices, new AbortController().signal));
}

function lying(link: Link): Link {
  return {
    ...link,
    send(bytes) {
      if (bytes.length < CORRUPTED_FROM_BYTES) return link.send(bytes);
      const wrong = bytes.slice();
      wrong[0] = (wrong[0] ?? 0) ^ 1;
      return link.send(wrong);
    },
  };
}

// A volunteer of the benchmark that corrupts every block it sends: the ordinary node over links that lie. Started by `fork`.
import { createPublicKey } from 'node:crypto';
import { peerIdentityOf } from '@gleaner/swarm/auth';
import { createLibp2pTransport } from '@gleaner/swarm/libp2p';
import type { Link } from '@gleaner/swarm/links';
import { SwarmNode, type JoinRequest, type SwarmProcessInit } from '@gleaner/swarm/process';
import { ChunkData } from '@gleaner/swarm/store';
import { Bitmap } from '@gleaner/swarm/engine';
import { coordinatorOf } from './bench-coordinator.js';

/** Larger than any control frame of the benchmark, smaller than a block. */
const CORRUPTED_FROM_BYTES = 32 * 1024;

export interface LiarInit {
  readonly init: SwarmProcessInit;
  readonly join: Omit<JoinRequest, 'data'>;
  readonly url: string;
  readonly token: string;
  /** Where it keeps the chunks. */
  readonly dataPath: string;
}

process.once('message', (message: LiarInit) => void lie(message));
process.on('disconnect', () => process.exit(0));

async function lie({ init, join, url, token, dataPath }: LiarInit): Promise<void> {
  const identity = peerIdentityOf(init.seed);
  const node = await SwarmNode.start({
    identity,
    certificate: init.certificate,
    coordinatorKey: createPublicKey({ key: Buffer.from(init.coordinatorKey), format: 'der', type: 'spki' }),
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
        dial: async (...to) => lying(await transport.dial(...to)),
        close: () => transport.close(),
      };
    },
    coordinator: coordinatorOf({ url, token }),
  });
  const indices = [...join.manifest.hashes.keys()];
  node.join({ ...join, data: await ChunkData.open(dataPath, join.manifest, new Bitmap(indices.length)) });
  process.send?.('joined');
  await node.fetch(join.location.manifestId, indices, new AbortController().signal);
}

function corrupted(bytes: Uint8Array): Uint8Array {
  if (bytes.length < CORRUPTED_FROM_BYTES) return bytes;
  const wrong = bytes.slice();
  wrong[0] = (wrong[0] ?? 0) ^ 1;
  return wrong;
}

function lying(link: Link): Link {
  return {
    ...link,
    send(bytes) {
      return link.send((bytes instanceof Uint8Array ? [bytes] : bytes).map(corrupted));
    },
  };
}

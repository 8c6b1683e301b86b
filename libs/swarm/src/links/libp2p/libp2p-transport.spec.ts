import { once } from 'node:events';
import net from 'node:net';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createPeerIdentity } from '../../auth/peer-identity.js';
import type { Link } from '../link.js';
import { LinkReader } from '../link-reader.js';
import { createLibp2pTransport, SWAP_PROTOCOL, type Libp2pTransportInit } from './libp2p-transport.js';

const cleanUps: Array<() => unknown> = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function aListener(init: Partial<Libp2pTransportInit> = {}) {
  const links: Link[] = [];
  const transport = await createLibp2pTransport({
    identity: createPeerIdentity(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    onLink: (link) => links.push(link),
    onDiscovered: () => undefined,
    ...init,
  });
  cleanUps.push(() => transport.close());
  return { links, address: multiaddr(transport.addresses[0] ?? '') };
}

async function aDialer() {
  const dialer = await createLibp2pTransport({
    identity: createPeerIdentity(),
    listen: [],
    onLink: () => undefined,
    onDiscovered: () => undefined,
  });
  cleanUps.push(() => dialer.close());
  return dialer;
}

/** A host with software of its own. */
async function aStranger() {
  const stranger = await createLibp2p({
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
  cleanUps.push(() => stranger.stop());
  return stranger;
}

describe('the libp2p transport', () => {
  it('ends a connection on which nobody opens a link', async () => {
    const { address } = await aListener({ unusedConnectionMs: 50 });
    const connection = await (await aStranger()).dial(address);
    await expect.poll(() => connection.status).not.toBe('open');
  });

  it('ends the connection with its last link, and not before', async () => {
    const { address, links } = await aListener();
    const connection = await (await aStranger()).dial(address);
    await connection.newStream(SWAP_PROTOCOL);
    await connection.newStream(SWAP_PROTOCOL);
    await expect.poll(() => links.length).toBe(2);
    links[0]?.abort(new Error('not needed'));
    await expect.poll(() => connection.streams.length).toBe(1);
    expect(connection.status).toBe('open');
    links[1]?.abort(new Error('banned'));
    await expect.poll(() => connection.status).not.toBe('open');
  });

  it('keeps the links of one connection apart', async () => {
    const { address, links } = await aListener();
    const dialer = await aDialer();
    const dialled = [];
    for (const word of ['one', 'two', 'three']) {
      const link = await dialer.dial(address.toString(), AbortSignal.timeout(100_000));
      link.send(Buffer.from(word));
      dialled.push(link);
    }
    await expect.poll(() => links.length).toBe(3);
    const words = await Promise.all(
      links.map(async (link) => Buffer.from(await new LinkReader(link).read(3)).toString()),
    );
    expect(words.toSorted()).toEqual(['one', 'thr', 'two']);
    for (const link of dialled) link.abort(new Error('done'));
  });

  it('gives one connection few streams', async () => {
    const { address } = await aListener();
    const connection = await (await aStranger()).dial(address);
    const opened = await Promise.allSettled(
      Array.from({ length: 8 }, () => connection.newStream(SWAP_PROTOCOL)),
    );
    expect(opened.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(4);
  });

  it('does not let in whom the node does not want', async () => {
    const stranger = await aStranger();
    const { address, links } = await aListener({
      isWelcome: (peerId) => peerId !== stranger.peerId.toString(),
    });
    const linking = stranger.dial(address).then((connection) => connection.newStream(SWAP_PROTOCOL));
    await expect(linking).rejects.toThrow();
    expect(links).toEqual([]);
  });

  it('leaves places to others when one address connects again and again and says nothing', async () => {
    const { address, links } = await aListener();
    const [, , host, , port] = address.toString().split('/');
    let ended = 0;
    const connectFrom = (localAddress: string): Promise<unknown> => {
      const socket = net.connect({ host: host ?? '', port: Number(port), localAddress });
      cleanUps.push(() => socket.destroy());
      socket.on('error', () => undefined).on('close', () => (ended += 1));
      return once(socket, 'connect');
    };
    await Promise.all(Array.from({ length: 90 }, () => connectFrom('127.0.0.2')));
    await expect.poll(() => ended).toBe(90 - 32);
    const connection = await (await aStranger()).dial(address);
    await connection.newStream(SWAP_PROTOCOL);
    await expect.poll(() => links.length).toBe(1);
  });

  it('takes no place for whoever has come and gone', async () => {
    const { address, links } = await aListener();
    const stranger = await aStranger();
    for (let come = 1; come <= 40; come += 1) {
      const connection = await stranger.dial(address);
      await connection.newStream(SWAP_PROTOCOL);
      await connection.close();
    }
    await expect.poll(() => links.length).toBe(40);
  });

  it('gives up an address where nobody answers for 4 s', async () => {
    const dialer = await aDialer();
    // A socket that never connects; Node tells when the time is over that it was created with.
    const connect = vi.spyOn(net, 'connect').mockImplementation(() => {
      const socket = new net.Socket();
      setImmediate(() => socket.emit('timeout'));
      return socket;
    });
    await expect(dialer.dial('/ip4/127.0.0.1/tcp/1', AbortSignal.timeout(100_000))).rejects.toThrow(
      'Connection timeout',
    );
    expect(connect.mock.calls).toEqual([[expect.objectContaining({ timeout: 4000 })]]);
  });
});

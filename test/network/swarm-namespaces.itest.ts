import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RoutedNetworks, whyNoNamespaces } from './namespaces.js';
import { aBlob, Authority, SwarmHost } from './swarm-host.js';

const BLOB = aBlob(24);
const STRANGER = fileURLToPath(new URL('stranger.ts', import.meta.url));
/** More than any number of refused handshakes takes, far less than a chunk. */
const HANDSHAKES_BYTES = 64 * 1024;

const obstacle = whyNoNamespaces();
if (obstacle !== null) console.warn(`SKIPPED: the swarm on separate networks: ${obstacle}`);

describe.skipIf(obstacle !== null)('the swarm on separate networks', () => {
  const coordinator = new Authority();
  const made = new AsyncDisposableStack();
  let directory: string;
  let networks: RoutedNetworks;
  let seed: SwarmHost;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gleaner-networks-'));
    made.defer(() => rm(directory, { recursive: true, force: true }));
    networks = made.use(await RoutedNetworks.make(4));
    seed = made.use(await SwarmHost.start({ ...host(0), isSeed: true }));
  });
  afterAll(() => made.disposeAsync());

  const host = (network: number) => ({
    network: networks.network(network),
    coordinator,
    directory,
    blob: BLOB,
  });

  it('carries a blob from one enrolled host to another through the router between them', async () => {
    await using other = await SwarmHost.start(host(1));
    const received = await other.fetchAll(AbortSignal.timeout(100_000));
    expect(received.equals(BLOB.content)).toBe(true);
    expect(await other.progress()).toMatchObject({
      bytesFromPeers: BLOB.content.length,
      bytesFromOrigin: 0,
      peers: [{ peer: seed.identity.peerId }],
    });
    const [from, to] = [await networks.network(0).traffic(), await networks.network(1).traffic()];
    expect(from.outOfBytes).toBeGreaterThan(BLOB.content.length);
    expect(to.intoBytes).toBeGreaterThan(BLOB.content.length);
  });

  it('gives nothing to a host that another coordinator has enrolled', async () => {
    const servedBefore = (await seed.progress()).bytesToPeers;
    await using outsider = await SwarmHost.start({ ...host(2), enrolledBy: new Authority() });
    const refusal = `handshake-failed ${JSON.stringify({
      peer: outsider.identity.peerId,
      reason: 'the certificate is not the coordinator’s',
    })}`;
    await expect.poll(() => seed.log, { timeout: 30_000 }).toContain(refusal);
    await expect
      .poll(() => outsider.log.some((line) => line.startsWith('dial-failed')), { timeout: 30_000 })
      .toBe(true);
    expect(await outsider.progress()).toMatchObject({ bytesFromPeers: 0, peers: [] });
    expect((await seed.progress()).bytesToPeers).toBe(servedBefore);
    expect((await networks.network(2).traffic()).intoBytes).toBeLessThan(HANDSHAKES_BYTES);
  });

  it('says not one byte to a stranger without a certificate', async () => {
    const network = networks.network(3);
    const [command, ...rest] = [...network.launcher, process.execPath, STRANGER, seed.address];
    const { stdout } = await promisify(execFile)(command, [
      ...rest,
      'let me in, I have no certificate at all',
    ]);
    expect(JSON.parse(stdout)).toEqual({ receivedBytes: 0, ended: 'broken off' });
    await expect
      .poll(() => seed.log)
      .toContainEqual(
        expect.stringMatching(/^handshake-failed .*the peer does not speak \/gleaner\/auth\/2/),
      );
    expect((await network.traffic()).intoBytes).toBeLessThan(HANDSHAKES_BYTES);
  });
});

describe.skipIf(obstacle !== null)('the swarm on one network without its coordinator', () => {
  it('finds a neighbour that it has never heard of, and has the blob from it', async () => {
    await using networks = await RoutedNetworks.makeNeighbours(2);
    await using made = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'gleaner-neighbours-'));
    made.defer(() => rm(directory, { recursive: true, force: true }));
    const coordinator = new Authority();
    coordinator.isAway = true;
    const shared = { coordinator, directory, blob: BLOB, mdnsServiceTag: '_gln-test._udp.local' };
    made.use(await SwarmHost.start({ ...shared, network: networks.network(0), isSeed: true }));
    const other = made.use(await SwarmHost.start({ ...shared, network: networks.network(1) }));
    const received = await other.fetchAll(AbortSignal.timeout(100_000));
    expect(received.equals(BLOB.content)).toBe(true);
    expect(await other.progress()).toMatchObject({ bytesFromPeers: BLOB.content.length });
  });
});

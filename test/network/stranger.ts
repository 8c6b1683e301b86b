// Dials a host of the swarm without a certificate, says what it is told to say, and prints what it was given.
// Run as `node stranger.ts <address> <what to say>`; Node takes the types away.
import { createPeerIdentity } from '@gleaner/swarm/auth';
import { createLibp2pTransport } from '@gleaner/swarm/libp2p';

const [address = '', words = ''] = process.argv.slice(2);
const transport = await createLibp2pTransport({
  identity: createPeerIdentity(),
  listen: [],
  onLink: () => undefined,
  onDiscovered: () => undefined,
});
const link = await transport.dial(address, AbortSignal.timeout(100_000));
link.send(Buffer.from(words));
let receivedBytes = 0;
let ended = 'closed';
try {
  for await (const piece of link.incoming) receivedBytes += piece.length;
} catch {
  ended = 'broken off';
}
console.log(JSON.stringify({ receivedBytes, ended }));
await transport.close();

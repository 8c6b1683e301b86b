import { duplexPair } from 'node:stream';
import { SWARM_LIMITS } from '@gleaner/protocol';
import { describe, expect, it } from 'vitest';
import { duplexLink, memoryLinkPair } from '../links/duplex-link.js';
import type { Link } from '../links/link.js';
import { LinkReader } from '../links/link-reader.js';
import { AuthError } from './auth-error.js';
import { AUTH_PROTOCOL, authenticateLink, type HandshakeInit } from './handshake.js';
import { createPeerIdentity, keyOfPeerId, peerIdentityOf, peerIdOfKey } from './peer-identity.js';
import {
  createPeerRecord,
  encodePeerRecord,
  encodeTicket,
  judgePeerRecord,
  judgeTicket,
  requireValidCertificate,
  signBody,
} from './signed.js';
import { TestCoordinator } from './trust.fixture.js';

const FILE = 'a'.repeat(64);

async function meet(
  dialer: HandshakeInit,
  listener: HandshakeInit,
  links: readonly [Link, Link] = memoryLinkPair(),
) {
  const [dialled, listened] = await Promise.allSettled([
    authenticateLink(links[0], 'dialer', dialer),
    authenticateLink(links[1], 'listener', listener),
  ]);
  return { dialled, listened };
}

function faultOf(result: PromiseSettledResult<unknown>): string {
  if (result.status === 'fulfilled') return 'none';
  if (result.reason instanceof AuthError) return result.reason.fault;
  throw result.reason;
}

describe('peer identities', () => {
  it('have libp2p’s peer id of their key', () => {
    const identity = peerIdentityOf(new Uint8Array(32).fill(7));
    expect(identity.peerId).toMatch(/^12D3KooW/);
    expect(peerIdOfKey(keyOfPeerId(identity.peerId))).toBe(identity.peerId);
    expect(peerIdentityOf(createPeerIdentity().seed).peerId).not.toBe(identity.peerId);
    expect(() => keyOfPeerId('12D3KooWhello')).toThrow(RangeError);
  });
});

describe('/gleaner/auth/2', () => {
  it('tells both sides who the other is', async () => {
    const coordinator = new TestCoordinator();
    const [a, b] = [coordinator.enrol(), coordinator.enrol()];
    const { trust } = coordinator;
    const { dialled, listened } = await meet({ ...a, trust }, { ...b, trust });
    expect(dialled).toMatchObject({ value: { certificate: { peerId: b.identity.peerId } } });
    expect(listened).toMatchObject({ value: { certificate: { peerId: a.identity.peerId } } });
  });

  it.each([
    ['expired', { exp: 1 }],
    ['too-long-lived', { exp: Date.parse('2027-01-01') / 1000 }],
  ])('refuses a certificate that is %s', async (fault, changes) => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const identity = createPeerIdentity();
    const outdated = { identity, certificate: coordinator.certify(identity.peerId, changes), trust };
    expect(faultOf((await meet(outdated, { ...coordinator.enrol(), trust })).listened)).toBe(fault);
  });

  it('takes a certificate until the second of its end, and from five minutes before it should be there', () => {
    const coordinator = new TestCoordinator();
    const { peerId } = createPeerIdentity();
    const now = Math.floor(coordinator.nowMs / 1000);
    coordinator.nowMs = now * 1000;
    const farthest = SWARM_LIMITS.certificateSeconds + SWARM_LIMITS.clockSkewSeconds;
    const judge = (secondsLeft: number) => () =>
      requireValidCertificate(coordinator.certify(peerId, { exp: now + secondsLeft }), coordinator.trust);
    for (const secondsLeft of [1, farthest]) expect(judge(secondsLeft)).not.toThrow();
    expect(judge(0)).toThrow(expect.objectContaining({ fault: 'expired' }));
    expect(judge(farthest + 1)).toThrow(expect.objectContaining({ fault: 'too-long-lived' }));
  });

  it('refuses a hello that is too long before it has come', async () => {
    const coordinator = new TestCoordinator();
    const [stranger, listener] = memoryLinkPair();
    const listening = authenticateLink(listener, 'listener', {
      ...coordinator.enrol(),
      trust: coordinator.trust,
    });
    stranger.send(Buffer.concat([Buffer.from(AUTH_PROTOCOL), Buffer.from([0xff, 0xff])]));
    await expect(listening).rejects.toMatchObject({ fault: 'bad-hello' });
  });

  it('refuses a revoked certificate', async () => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const revoked = coordinator.enrol();
    coordinator.revoked.add(revoked.certificate.body.serial);
    expect(faultOf((await meet({ ...revoked, trust }, { ...coordinator.enrol(), trust })).listened)).toBe(
      'revoked',
    );
  });

  it('says nothing to somebody else than it has dialled, whether the transport tells or the certificate', async () => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const [a, b, c] = [coordinator.enrol(), coordinator.enrol(), coordinator.enrol()];
    const wanting = { ...a, trust, expectedPeer: c.identity.peerId };
    const told = await meet(wanting, { ...b, trust });
    expect(faultOf(told.dialled)).toBe('wrong-peer');
    const [stream, otherStream] = duplexPair();
    const received: Buffer[] = [];
    otherStream.on('data', (bytes: Buffer) => received.push(bytes)).on('error', () => undefined);
    const proven = duplexLink(stream, 'memory', b.identity.peerId);
    await expect(authenticateLink(proven, 'dialer', wanting)).rejects.toMatchObject({ fault: 'wrong-peer' });
    expect(received).toEqual([]);
  });

  it('lets enrolled peers know which peers are one host’s, however often it becomes another', async () => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const [yesterday, today] = [coordinator.enrol('a'.repeat(32)), coordinator.enrol('a'.repeat(32))];
    const hosts: string[] = [];
    for (const peer of [yesterday, today]) {
      const { listened } = await meet({ ...peer, trust }, { ...coordinator.enrol(), trust });
      if (listened.status === 'fulfilled') hosts.push(listened.value.certificate.host);
    }
    expect(hosts).toEqual(['a'.repeat(32), 'a'.repeat(32)]);
    // What is shown to anybody has nothing in common.
    expect(yesterday.certificate.body.host).not.toBe(today.certificate.body.host);
  });

  it('refuses a peer that calls itself another host', async () => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const [liar, honest] = [coordinator.enrol(), coordinator.enrol()];
    const { pseudonym } = honest.certificate;
    const lying = { ...liar, certificate: { ...liar.certificate, pseudonym }, trust };
    expect(faultOf((await meet(lying, { ...coordinator.enrol(), trust })).listened)).toBe('bad-proof');
    expect(faultOf((await meet({ ...coordinator.enrol(), trust }, lying)).dialled)).toBe('bad-proof');
  });

  it.each(['its own', 'one that it has seen'])(
    'tells a stranger that it was lured to no pseudonym, whether that shows no certificate but %s',
    async (whose) => {
      const coordinator = new TestCoordinator();
      const { trust } = coordinator;
      const [host, stranger] = [coordinator.enrol(), new TestCoordinator().enrol()];
      const shown =
        whose === 'its own' ? stranger : { ...stranger, certificate: coordinator.enrol().certificate };
      const [dialled, lure] = memoryLinkPair();
      const heard: Uint8Array[] = [];
      const listening: Link = {
        ...lure,
        incoming: (async function* () {
          for await (const piece of lure.incoming) {
            heard.push(piece);
            yield piece;
          }
        })(),
      };
      const { dialled: fault } = await meet({ ...host, trust }, { ...shown, trust }, [dialled, listening]);
      expect(['bad-signature', 'bad-proof']).toContain(faultOf(fault));
      const words = Buffer.concat(heard).toString('latin1');
      expect(words).toContain(host.identity.peerId);
      expect(words).not.toContain(host.certificate.pseudonym);
    },
  );

  it('tells an outsider nothing, not even a certificate', async () => {
    const { trust } = new TestCoordinator();
    const outsider = { ...new TestCoordinator().enrol(), trust };
    const [dialler, listener] = memoryLinkPair();
    const listening = authenticateLink(listener, 'listener', { ...new TestCoordinator().enrol(), trust });
    const dialling = authenticateLink(dialler, 'dialer', outsider);
    await expect(listening).rejects.toMatchObject({ fault: 'bad-signature' });
    await expect(dialling).rejects.toMatchObject({ fault: 'bad-hello' });
  });

  it('refuses a certificate that was copied from its owner', async () => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const thief = { identity: createPeerIdentity(), certificate: coordinator.enrol().certificate, trust };
    expect(faultOf((await meet(thief, { ...coordinator.enrol(), trust })).listened)).toBe('bad-proof');
  });

  it('refuses another peer’s certificate on a link whose transport knows the peer', async () => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const [a, b] = memoryLinkPair();
    const known: Link = { ...b, remotePeerId: createPeerIdentity().peerId };
    const { listened } = await meet({ ...coordinator.enrol(), trust }, { ...coordinator.enrol(), trust }, [
      a,
      known,
    ]);
    expect(faultOf(listened)).toBe('wrong-peer');
    const [caller, callee] = memoryLinkPair();
    const friend = coordinator.enrol();
    const rightful = await meet({ ...friend, trust }, { ...coordinator.enrol(), trust }, [
      caller,
      { ...callee, remotePeerId: friend.identity.peerId },
    ]);
    expect(faultOf(rightful.listened)).toBe('none');
  });

  it('refuses a recorded handshake', async () => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const [a, b] = memoryLinkPair();
    const sent: Array<Parameters<Link['send']>[0]> = [];
    const recording: Link = { ...a, send: (bytes) => (sent.push(bytes), a.send(bytes)) };
    await meet({ ...coordinator.enrol(), trust }, { ...coordinator.enrol(), trust }, [recording, b]);
    const [replayer, victim] = memoryLinkPair();
    const listening = authenticateLink(victim, 'listener', { ...coordinator.enrol(), trust });
    for (const bytes of sent) replayer.send(bytes);
    await expect(listening).rejects.toMatchObject({ fault: 'bad-proof' });
  });

  it('gives up on a silent peer', async () => {
    const coordinator = new TestCoordinator();
    const [, listener] = memoryLinkPair();
    const init = { ...coordinator.enrol(), trust: coordinator.trust, timeoutMs: 5 };
    await expect(authenticateLink(listener, 'listener', init)).rejects.toMatchObject({ fault: 'timeout' });
  });

  it('keeps what follows the handshake', async () => {
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const [a, b] = memoryLinkPair();
    const listening = authenticateLink(b, 'listener', { ...coordinator.enrol(), trust });
    await authenticateLink(a, 'dialer', { ...coordinator.enrol(), trust });
    a.send(Buffer.from('more'));
    const { reader } = await listening;
    expect(reader).toBeInstanceOf(LinkReader);
    expect(Buffer.from(await reader.read(4)).toString()).toBe('more');
  });
});

describe('tickets', () => {
  it('count for one peer and one file until they expire', () => {
    const coordinator = new TestCoordinator();
    const { peerId } = createPeerIdentity();
    const ticket = coordinator.ticket(peerId, FILE);
    const judge = (bytes: Uint8Array, peer = peerId, file = FILE) =>
      judgeTicket(bytes, peer, file, coordinator.trust);
    expect(judge(encodeTicket(ticket))).toBe(ticket.body.exp * 1000);
    expect(judge(encodeTicket(ticket), createPeerIdentity().peerId)).toBeUndefined();
    expect(judge(encodeTicket(ticket), peerId, 'b'.repeat(64))).toBeUndefined();
    expect(
      judge(encodeTicket({ ...ticket, body: { ...ticket.body, exp: ticket.body.exp + 1 } })),
    ).toBeUndefined();
    expect(judge(encodeTicket(new TestCoordinator().ticket(peerId, FILE)))).toBeUndefined();
    expect(judge(Buffer.from('{"body":'))).toBeUndefined();
    coordinator.nowMs += 48 * 3600 * 1000;
    expect(judge(encodeTicket(ticket))).toBeUndefined();
  });
});

describe('peer records', () => {
  it('count when the peer signed them and the coordinator knows the peer', () => {
    const coordinator = new TestCoordinator();
    const { identity, certificate } = coordinator.enrol();
    const record = createPeerRecord(identity, certificate, ['/ip4/127.0.0.1/tcp/1'], 3);
    const judge = (value: typeof record) => judgePeerRecord(encodePeerRecord(value), coordinator.trust);
    expect(judge(record)).toEqual(record.record.body);
    const moved = { ...record.record.body, addresses: ['/ip4/192.0.2.1/tcp/1'] };
    expect(judge({ ...record, record: { ...record.record, body: moved } })).toBeUndefined();
    const forged = signBody(moved, createPeerIdentity().privateKey);
    expect(judge({ ...record, record: forged })).toBeUndefined();
    expect(judge({ ...record, certificate: new TestCoordinator().certify(identity.peerId) })).toBeUndefined();
  });
});

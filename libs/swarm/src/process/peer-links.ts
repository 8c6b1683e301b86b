import type { SignedCertificate } from '@gleaner/protocol';
import { AuthError, authenticateLink, type PeerIdentity, type TrustRoot } from '../auth/index.js';
import type { SwapAction } from '../engine/index.js';
import { FrameError, type Frame } from '../frames/index.js';
import type { Link, Transport, TransportEvents } from '../links/index.js';
import { dialOrder, isLoopback, ownNetworks } from './dial-order.js';
import type { ExpiringName } from './expiring-names.js';
import { MetPeers } from './met-peers.js';
import { PeerSession, type PeerSessionEvents } from './peer-session.js';
import { PeerStanding } from './peer-standing.js';
import { RedialTimes } from './redial-times.js';

/**
 * For one address; a peer may have eight. An address where nobody answers is given up sooner, by the transport: what ends a handshake
 * that has begun makes both sides do it again, and on a machine that is busy with handshakes that would never end.
 */
const ADDRESS_TIMEOUT_MS = 15_000;
/** For all addresses of a peer together, that peers that are gone do not keep the few places from others. */
const DIAL_TIMEOUT_MS = 20_000;
/**
 * Handshakes are work for both sides, and a swarm begins with all of them at once: few that come to an end bring more than many that
 * run out of time together and begin anew.
 */
const MAX_DIALS = 4;
const MAX_LINKS = 50;
const MAX_HANDSHAKES = 32;
/** One address must not keep all the places for handshakes. */
const MAX_HANDSHAKES_PER_ADDRESS = 16;
/** A peer says something at least so often; one that was silent for longer may be gone without a word. */
const KEEP_ALIVE_MS = 30_000;
/** Another link of the same peer takes the place of one that was silent for so long. */
const SILENT_MS = 45_000;
const DEAD_MS = 90_000;
const NOTHING: Frame = { type: 'peers', records: [] };
/** A host may be several peers, one after the other or at once; it must not take the links of others with them. */
const MAX_LINKS_PER_HOST = 2;

export interface PeerLinksInit {
  readonly identity: PeerIdentity;
  readonly certificate: () => SignedCertificate;
  readonly trust: TrustRoot;
  readonly openTransport: (events: TransportEvents) => Promise<Transport>;
  readonly onConnected: (peer: string) => void;
  readonly onDisconnected: (peer: string) => void;
  readonly onFrame: (peer: string, frame: Frame) => void;
  readonly onFlushed: (peer: string, manifestId: string, bytes: number) => void;
  readonly onUnsent: (peer: string, bytes: number) => void;
  readonly readChunk: PeerSessionEvents['readChunk'];
  readonly onDiscovered: (peerId: string, addresses: readonly string[]) => void;
  /** A peer whose link brings neither side anything, if there is one. */
  readonly uselessPeer: () => string | undefined;
  /** Peer ids and pseudonyms that an earlier run has banned. */
  readonly bans?: readonly ExpiringName[];
  /** Milliseconds from a clock that never goes back. */
  readonly now: () => number;
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** Dialled and accepted links: authenticated, one a peer, none to those who were left over a fault. */
export class PeerLinks {
  readonly #sessions = new Map<string, PeerSession>();
  readonly #dialling = new Set<string>();
  readonly #standing: PeerStanding;
  readonly #redials = new RedialTimes(() => this.init.now());
  readonly #met = new MetPeers();
  readonly #stop = new AbortController();
  /** Handshakes of those who dialled, by the address that they came from. */
  readonly #handshakes = new Map<string, number>();
  #transport: Transport | undefined;

  constructor(private readonly init: PeerLinksInit) {
    this.#standing = new PeerStanding(init.now, init.bans);
  }

  get addresses(): readonly string[] {
    return this.#transport?.addresses ?? [];
  }

  get bannedPeers(): readonly string[] {
    return this.#standing.bannedPeers;
  }

  /** Whom not to deal with, for the next run. */
  get bans(): readonly ExpiringName[] {
    return this.#standing.bans;
  }

  /** Links that are being made. */
  get dialling(): number {
    return this.#dialling.size;
  }

  /** Attempts on the peer, one after the other, that came to nothing. */
  failedDials(peerId: string): number {
    return this.#redials.failures(peerId);
  }

  async open(): Promise<void> {
    this.#transport = await this.init.openTransport({
      onLink: (link) => void this.#accept(link),
      isWelcome: (peerId) => this.#standing.isWelcome(peerId),
      onDiscovered: this.init.onDiscovered,
    });
  }

  /**
   * Tries the peer's addresses in turn, the likeliest first, unless there is a link or an attempt already, or no place for another.
   *
   * @returns whether it tried: then there is a place for somebody else now
   */
  async dial(peerId: string, addresses: readonly string[]): Promise<boolean> {
    const isUseless =
      this.#sessions.has(peerId) || this.#dialling.has(peerId) || !this.#standing.isWelcome(peerId);
    if (
      isUseless ||
      this.#redials.isTooSoon(peerId) ||
      this.#dialling.size >= MAX_DIALS ||
      this.#stop.signal.aborted ||
      !this.#transport ||
      !this.#hasRoom()
    )
      return false;
    // A host that is not there itself has no peers there: what listens is none of theirs, and must not be knocked at.
    const isAtHome = this.addresses.some(isLoopback);
    const places = addresses.filter(
      (address) => !this.#isElses(address, peerId) && (isAtHome || !isLoopback(address)),
    );
    if (places.length === 0) return false;
    this.#dialling.add(peerId);
    const over = AbortSignal.timeout(DIAL_TIMEOUT_MS);
    try {
      for (const address of dialOrder(places, ownNetworks())) {
        if (over.aborted || this.#stop.signal.aborted) break;
        if (await this.#isSettledBy(address, peerId, this.#transport, over)) return true;
      }
      this.#redials.note(peerId, 'absent');
      return true;
    } finally {
      this.#dialling.delete(peerId);
    }
  }

  /** Tries one address: no other one is worth trying where there is a link now, or where none is wanted. */
  async #isSettledBy(
    address: string,
    peerId: string,
    transport: Transport,
    over: AbortSignal,
  ): Promise<boolean> {
    // Of all at once: of signals with a timeout that are made of each other, Node 24 never forgets the inner ones.
    const signal = AbortSignal.any([this.#stop.signal, over, AbortSignal.timeout(ADDRESS_TIMEOUT_MS)]);
    try {
      await this.#meet(await transport.dial(address, signal, peerId), 'dialer', peerId);
      // Not wanted, such as a banned host that has become another peer: no other address changes that.
      if (!this.#sessions.has(peerId)) throw new AuthError('refused', 'this host wants no link to it');
      this.#met.note(address, peerId);
      return true;
    } catch (error) {
      // The peer has dialled at the same time, and that link was preferred.
      if (this.#sessions.has(peerId)) return true;
      this.#logFailure('dial-failed', peerId, error);
      if (!(error instanceof AuthError) || error.fault !== 'refused') return false;
      this.#redials.note(peerId, 'unwanted');
      return true;
    }
  }

  enqueue(action: Extract<SwapAction, { kind: 'send' | 'upload' }>): void {
    this.#sessions.get(action.peer)?.enqueue(action);
  }

  /** Ends the link for good, or until the peer may try to do better. */
  disconnect(peerId: string, reason: string, ban: boolean): void {
    const session = this.#sessions.get(peerId);
    const host = session?.certificate.host;
    if (ban) this.#standing.ban(peerId, host);
    else this.#standing.cool(peerId, host);
    session?.end(new Error(reason));
  }

  /** Ends links whose certificate has run out or was revoked since, and those that have died; says a word where all is silent. */
  tend(): void {
    const { now, isRevoked } = this.init.trust;
    for (const session of this.#sessions.values()) {
      const silentMs = this.init.now() - session.lastHeardMs;
      if (silentMs > DEAD_MS) session.end(new Error(`silent for ${Math.round(silentMs / 1000)} s`));
      else if (this.init.now() - session.lastSaidMs > KEEP_ALIVE_MS)
        session.enqueue({ kind: 'send', peer: session.peerId, frame: NOTHING });
      const { exp, serial } = session.certificate;
      if (exp * 1000 <= now()) session.end(new AuthError('expired', 'the certificate has expired'));
      else if (isRevoked(serial)) session.end(new AuthError('revoked', 'the certificate was revoked'));
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    for (const session of this.#sessions.values()) session.end();
    await this.#transport?.close();
  }

  async #accept(link: Link): Promise<void> {
    const from = link.remoteAddress.split('/', 3).join('/');
    const fromThere = this.#handshakes.get(from) ?? 0;
    const all = [...this.#handshakes.values()].reduce((sum, count) => sum + count, 0);
    if (all >= MAX_HANDSHAKES || fromThere >= MAX_HANDSHAKES_PER_ADDRESS) {
      link.abort(new Error('too many handshakes at once'));
      return;
    }
    this.#handshakes.set(from, fromThere + 1);
    try {
      await this.#meet(link, 'listener', undefined);
    } catch (error) {
      this.#logFailure('handshake-failed', link.remotePeerId ?? link.remoteAddress, error);
    } finally {
      const left = (this.#handshakes.get(from) ?? 1) - 1;
      if (left > 0) this.#handshakes.set(from, left);
      else this.#handshakes.delete(from);
    }
  }

  async #meet(link: Link, role: 'dialer' | 'listener', expectedPeer: string | undefined): Promise<void> {
    const { certificate, reader } = await authenticateLink(link, role, {
      identity: this.init.identity,
      certificate: this.init.certificate(),
      trust: this.init.trust,
      expectedPeer,
    });
    const { peerId, host } = certificate;
    if (
      !this.#standing.isWelcome(peerId, host) ||
      this.#stop.signal.aborted ||
      !this.#isPreferred(peerId, role) ||
      this.#linksOf(host, peerId) >= MAX_LINKS_PER_HOST
    ) {
      link.abort(new Error('this link is not needed'));
      return;
    }
    this.#sessions.get(peerId)?.end(new Error('replaced by another link'));
    const session = new PeerSession(link, certificate, role === 'dialer', {
      onFrame: (frame) => this.init.onFrame(peerId, frame),
      onFlushed: (manifestId, bytes) => this.init.onFlushed(peerId, manifestId, bytes),
      onUnsent: (bytes) => this.init.onUnsent(peerId, bytes),
      readChunk: this.init.readChunk,
      now: this.init.now,
      onEnd: (error) => {
        if (this.#sessions.get(peerId) !== session) return;
        this.#sessions.delete(peerId);
        if (session.hasHeard) this.#redials.forget(peerId);
        else if (session.isDialer) this.#redials.note(peerId, 'unwanted');
        if (error) this.#logFailure('link-ended', peerId, error);
        if (error instanceof FrameError) this.#standing.cool(peerId, host);
        this.init.onDisconnected(peerId);
      },
    });
    this.#sessions.set(peerId, session);
    this.init.onConnected(peerId);
    void session.read(reader);
  }

  /** Whether somebody else is at the address, as a link tells. */
  #isElses(address: string, peerId: string): boolean {
    const there = this.#met.at(address);
    return there !== undefined && there !== peerId && this.#sessions.has(there);
  }

  /** Links to this host as other peers. */
  #linksOf(host: string, besides: string): number {
    const others = [...this.#sessions.values()].filter(({ peerId }) => peerId !== besides);
    return others.filter(({ certificate }) => certificate.host === host).length;
  }

  /** Whether one more link fits, if need be in the place of one that brings nobody anything. */
  #hasRoom(): boolean {
    if (this.#sessions.size + this.#dialling.size < MAX_LINKS) return true;
    const useless = this.init.uselessPeer();
    if (useless === undefined) return false;
    this.#sessions.get(useless)?.end(new Error('the place is needed'));
    return true;
  }

  /** When both sides dial at once, both keep the link that the smaller peer id has dialled. */
  #isPreferred(peerId: string, role: 'dialer' | 'listener'): boolean {
    const existing = this.#sessions.get(peerId);
    // One that is silent may be a link whose other end lost power and comes back with this one.
    if (!existing || this.init.now() - existing.lastHeardMs > SILENT_MS) return true;
    const isOursSmaller = this.init.identity.peerId < peerId;
    return existing.isDialer !== isOursSmaller && (role === 'dialer') === isOursSmaller;
  }

  #logFailure(event: string, peer: string, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.init.log(event, { peer, reason: error instanceof Error ? error.message : String(error) });
  }
}

import type { SignedCertificate } from '@gleaner/protocol';
import { AuthError, authenticateLink, type PeerIdentity, type TrustRoot } from '../auth/index.js';
import type { SwapAction } from '../engine/index.js';
import type { Frame } from '../frames/index.js';
import type { Link, Transport, TransportEvents } from '../links/index.js';
import { PeerSession } from './peer-session.js';

const DIAL_TIMEOUT_MS = 10_000;
const MAX_DIALS = 16;
/** Enough neighbours for chunks to spread; beyond that, handshakes and announcements cost more than they bring. */
const ENOUGH_LINKS = 12;
const MAX_HANDSHAKES = 32;
const MAX_BANNED = 1000;
/** A peer that cannot be reached is tried again after this, doubled with every failure. */
const REDIAL_MS = { least: 2000, most: 30_000 };
const MAX_REMEMBERED_FAILURES = 1000;

export interface PeerLinksInit {
  readonly identity: PeerIdentity;
  readonly certificate: () => SignedCertificate;
  readonly trust: TrustRoot;
  readonly openTransport: (events: TransportEvents) => Promise<Transport>;
  readonly onConnected: (peer: string) => void;
  readonly onDisconnected: (peer: string) => void;
  readonly onFrame: (peer: string, frame: Frame) => void;
  readonly onFlushed: (peer: string, manifestId: string, bytes: number) => void;
  readonly readChunk: (manifestId: string, chunk: number) => Promise<Uint8Array>;
  readonly onDiscovered: (peerId: string, addresses: readonly string[]) => void;
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** Dialled and accepted links: authenticated, one a peer, none to the banned. */
export class PeerLinks {
  readonly #sessions = new Map<string, PeerSession>();
  readonly #dialling = new Set<string>();
  readonly #banned = new Set<string>();
  readonly #failures = new Map<string, { readonly count: number; readonly retryAtMs: number }>();
  readonly #stop = new AbortController();
  #handshakes = 0;
  #transport: Transport | undefined;

  constructor(private readonly init: PeerLinksInit) {}

  get addresses(): readonly string[] {
    return this.#transport?.addresses ?? [];
  }

  get bannedPeers(): readonly string[] {
    return [...this.#banned];
  }

  async open(): Promise<void> {
    this.#transport = await this.init.openTransport({
      onLink: (link) => void this.#accept(link),
      onDiscovered: this.init.onDiscovered,
    });
  }

  /** Tries the peer's addresses in turn, unless there is a link or an attempt already. */
  async dial(peerId: string, addresses: readonly string[]): Promise<void> {
    const isUseless = this.#sessions.has(peerId) || this.#dialling.has(peerId) || this.#banned.has(peerId);
    const isTooSoon = performance.now() < (this.#failures.get(peerId)?.retryAtMs ?? 0);
    const hasEnough = this.#sessions.size + this.#dialling.size >= ENOUGH_LINKS;
    if (
      isUseless ||
      isTooSoon ||
      hasEnough ||
      this.#dialling.size >= MAX_DIALS ||
      this.#stop.signal.aborted ||
      !this.#transport
    )
      return;
    this.#dialling.add(peerId);
    try {
      for (const address of addresses) {
        const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
        try {
          await this.#meet(await this.#transport.dial(address, signal), 'dialer', peerId);
          this.#failures.delete(peerId);
          return;
        } catch (error) {
          this.#logFailure('dial-failed', peerId, error);
        }
      }
      this.#noteFailure(peerId);
    } finally {
      this.#dialling.delete(peerId);
    }
  }

  enqueue(action: Extract<SwapAction, { kind: 'send' | 'upload' }>): void {
    this.#sessions.get(action.peer)?.enqueue(action);
  }

  disconnect(peerId: string, reason: string, ban: boolean): void {
    if (ban && this.#banned.size < MAX_BANNED) this.#banned.add(peerId);
    this.#sessions.get(peerId)?.end(new Error(reason));
  }

  /** Ends links whose certificate has run out or was revoked since. */
  dropExpired(): void {
    const { now, isRevoked } = this.init.trust;
    for (const session of this.#sessions.values()) {
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
    if (this.#handshakes >= MAX_HANDSHAKES) {
      link.abort(new Error('too many handshakes at once'));
      return;
    }
    this.#handshakes += 1;
    try {
      await this.#meet(link, 'listener', undefined);
    } catch (error) {
      this.#logFailure('handshake-failed', link.remotePeerId ?? link.remoteAddress, error);
    } finally {
      this.#handshakes -= 1;
    }
  }

  async #meet(link: Link, role: 'dialer' | 'listener', expectedPeer: string | undefined): Promise<void> {
    const { certificate, reader } = await authenticateLink(link, role, {
      identity: this.init.identity,
      certificate: this.init.certificate(),
      trust: this.init.trust,
    });
    const { peerId } = certificate;
    const isWrong = expectedPeer !== undefined && peerId !== expectedPeer;
    if (
      isWrong ||
      this.#banned.has(peerId) ||
      this.#stop.signal.aborted ||
      !this.#isPreferred(peerId, role)
    ) {
      link.abort(new Error('this link is not needed'));
      return;
    }
    this.#sessions.get(peerId)?.end(new Error('replaced by another link'));
    const session = new PeerSession(link, certificate, role === 'dialer', {
      onFrame: (frame) => this.init.onFrame(peerId, frame),
      onFlushed: (manifestId, bytes) => this.init.onFlushed(peerId, manifestId, bytes),
      readChunk: this.init.readChunk,
      onEnd: (error) => {
        if (this.#sessions.get(peerId) !== session) return;
        this.#sessions.delete(peerId);
        if (error) this.#logFailure('link-ended', peerId, error);
        this.init.onDisconnected(peerId);
      },
    });
    this.#sessions.set(peerId, session);
    this.init.onConnected(peerId);
    void session.read(reader);
  }

  #noteFailure(peerId: string): void {
    const count = (this.#failures.get(peerId)?.count ?? 0) + 1;
    const waitMs = Math.min(REDIAL_MS.least * 2 ** (count - 1), REDIAL_MS.most);
    this.#failures.delete(peerId);
    this.#failures.set(peerId, { count, retryAtMs: performance.now() + waitMs });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_REMEMBERED_FAILURES) return;
      this.#failures.delete(oldest);
    }
  }

  /** When both sides dial at once, both keep the link that the smaller peer id has dialled. */
  #isPreferred(peerId: string, role: 'dialer' | 'listener'): boolean {
    const existing = this.#sessions.get(peerId);
    if (!existing) return true;
    const isOursSmaller = this.init.identity.peerId < peerId;
    return existing.isDialer !== isOursSmaller && (role === 'dialer') === isOursSmaller;
  }

  #logFailure(event: string, peer: string, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.init.log(event, { peer, reason: error instanceof Error ? error.message : String(error) });
  }
}

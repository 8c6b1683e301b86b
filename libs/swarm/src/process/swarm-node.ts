import type { SignedCertificate, SignedTicket } from '@gleaner/protocol';
import { encodePeerRecord, encodeTicket, judgeTicket, type TrustRoot } from '../auth/index.js';
import { SwapEngine, type SwapAction, type SwapEvent } from '../engine/index.js';
import { Neighbours } from './neighbours.js';
import { OriginErrands } from './origin-errands.js';
import { OwnRecord } from './own-record.js';
import { PeerLinks } from './peer-links.js';
import { Pulse } from './pulse.js';
import type { JoinRequest } from './shared-file.js';
import { SharedFiles } from './shared-files.js';
import type { SwarmMemory } from './swarm-memory.js';
import type { SwarmNodeInit, SwarmProgress } from './swarm-node-init.js';
import { TrackerTalk } from './tracker-talk.js';
import { TrafficBook } from './traffic-book.js';

/** A host in the swarm: the engine's decisions carried out on links, files and the coordinator. */
export class SwarmNode {
  readonly #engine: SwapEngine;
  readonly #files: SharedFiles;
  readonly #traffic = new TrafficBook();
  readonly #trust: TrustRoot;
  readonly #stop = new AbortController();
  readonly #pulse: Pulse;
  readonly #links: PeerLinks;
  readonly #neighbours: Neighbours;
  readonly #tracker: TrackerTalk | undefined;
  readonly #ownRecord: OwnRecord;
  #mostExchangedBytes: number;
  readonly #origin: OriginErrands;
  #certificate: SignedCertificate;

  private constructor(private readonly init: SwarmNodeInit) {
    const { identity, coordinator, memory } = init;
    this.#certificate = init.certificate;
    this.#mostExchangedBytes = init.mostExchangedBytes ?? Number.POSITIVE_INFINITY;
    this.#ownRecord = new OwnRecord({
      identity,
      certificate: () => this.#certificate,
      addresses: () => this.addresses,
      lastSeq: memory?.recordSeq ?? 0,
    });
    const tell = (event: SwapEvent): void => this.#tell(event);
    const warn = (event: string, error: unknown): undefined => this.#warn(event, error);
    const { onStored, onDamaged } = init;
    this.#files = new SharedFiles({
      tell,
      warn,
      traffic: this.#traffic,
      ...(onStored && { onStored }),
      ...(onDamaged && { onDamaged }),
    });
    this.#trust = {
      coordinatorKey: init.coordinatorKey,
      isRevoked: (serial) => this.#tracker?.isRevoked(serial) ?? false,
      now: Date.now,
    };
    this.#engine = new SwapEngine({
      authorize: (peer, manifestId, ticket) => {
        const untilMs = judgeTicket(ticket, peer, manifestId, this.#trust);
        // The engine's clock is monotonic; a ticket's is the calendar's.
        return untilMs === undefined ? undefined : performance.now() + (untilMs - Date.now());
      },
      ownRecord: () => encodePeerRecord(this.#ownRecord.current),
      random: Math.random,
      allocate: (lengthBytes) => this.#files.allocate(lengthBytes),
      nowMs: performance.now(),
      ...(init.config && { config: init.config }),
    });
    this.#pulse = new Pulse({
      beat: () => {
        this.#links.tend();
        this.#tell({ kind: 'tick' });
      },
      isIdle: () => this.#engine.isIdle,
    });
    this.#links = this.#makeLinks();
    this.#neighbours = new Neighbours({
      trust: this.#trust,
      ownPeerId: identity.peerId,
      links: this.#links,
      manifestIds: () => this.#files.manifestIds,
      sharing: (manifestId) => this.#engine.sharing(manifestId),
    });
    this.#tracker =
      coordinator &&
      new TrackerTalk({
        ownRecord: this.#ownRecord,
        bannedPeers: () => this.#links.bannedPeers,
        coordinator,
        directory: this.#neighbours.directory,
        ...(memory?.revoked && { revoked: memory.revoked }),
        ...(memory?.revocationsSeen !== undefined && { revocationsSeen: memory.revocationsSeen }),
        now: Date.now,
        warn,
      });
    this.#origin = new OriginErrands({
      peerId: identity.peerId,
      coordinator,
      store: (shared, chunk, bytes) => this.#files.store(shared, chunk, bytes),
      traffic: this.#traffic,
      tell,
      warn,
    });
  }

  static async start(init: SwarmNodeInit): Promise<SwarmNode> {
    const node = new SwarmNode(init);
    await node.#links.open();
    node.#neighbours.start(init.memory?.knownPeers ?? []);
    node.#pulse.start();
    return node;
  }

  /** Where other peers reach this host. */
  get addresses(): readonly string[] {
    return [...new Set([...this.#links.addresses, ...(this.init.extraAddresses ?? [])])];
  }

  /** What the next run should know. */
  get memory(): SwarmMemory {
    return {
      knownPeers: this.#neighbours.directory.records,
      banned: this.#links.bans,
      revoked: this.#tracker?.revoked ?? [],
      revocationsSeen: this.#tracker?.revocationsSeen ?? 0,
      recordSeq: this.#ownRecord.seq,
    };
  }

  /**
   * Shares a file, or renews its ticket: `data` of the first call stays in use, and the caller keeps that of a later one.
   *
   * @throws {RangeError} when the manifest is not the one that the location names
   */
  join(request: JoinRequest): void {
    const { manifestId } = request.location;
    if (this.has(manifestId)) {
      this.renewTicket(manifestId, request.ticket);
      return;
    }
    const shared = this.#files.add(request);
    const signal = AbortSignal.any([shared.stop.signal, this.#stop.signal]);
    void this.#tracker?.keepAnnouncing(shared, signal);
    this.#neighbours.suggestAll();
  }

  has(manifestId: string): boolean {
    return this.#files.get(manifestId) !== undefined;
  }

  renewTicket(manifestId: string, ticket: SignedTicket): void {
    const shared = this.#files.get(manifestId);
    if (shared) shared.ticket = ticket;
    this.#tell({ kind: 'ticket-renewed', manifestId, ticket: encodeTicket(ticket) });
  }

  /** The certificate that is shown from now on; links that were authenticated with the old one stay until it expires. */
  renewCertificate(certificate: SignedCertificate): void {
    this.#certificate = certificate;
  }

  /** Stops sharing a file; what is stored stays. */
  leave(manifestId: string): void {
    const shared = this.#files.remove(manifestId);
    if (shared) this.#tracker?.sayLeaving(shared, this.#stop.signal);
  }

  /** Fetches chunks of a joined file; resolves when all of them are stored. */
  async fetch(manifestId: string, chunks: readonly number[], signal: AbortSignal): Promise<void> {
    await this.#files.fetch(manifestId, chunks, signal);
  }

  /** Somebody else has verified and written these chunks into the file. */
  noteStored(manifestId: string, chunks: readonly number[]): void {
    this.#files.noteStored(manifestId, chunks);
  }

  /** Bytes per second; infinite for none. */
  limit(limits: { readonly uploadBytesPerSecond: number; readonly downloadBytesPerSecond: number }): void {
    this.#tell({ kind: 'limits-changed', ...limits });
  }

  /** Lets it go on until it has exchanged so many bytes with other volunteers since the start. */
  setBudget(mostExchangedBytes: number): void {
    this.#mostExchangedBytes = mostExchangedBytes;
    this.#noteExchanged(0);
  }

  progress(): SwarmProgress {
    return {
      exchangedBytes: this.#traffic.exchangedBytes,
      bytesFromPeers: this.#traffic.totalBytes('fromPeersBytes'),
      bytesFromOrigin: this.#traffic.totalBytes('fromOriginBytes'),
      bytesToPeers: this.#traffic.totalBytes('toPeersBytes'),
      wastedBytes: this.#engine.wastedBytes,
      bannedPeers: this.#links.bannedPeers,
      peers: this.#engine.peers(performance.now()),
      files: this.#traffic.files(),
    };
  }

  /** Leaves everything and closes all links; closing twice is safe. */
  async close(): Promise<void> {
    this.#pulse.stop();
    this.#neighbours.stop();
    this.#files.fail(new Error('the swarm node is closing'));
    this.#stop.abort();
    await this.#links.close();
  }

  #makeLinks(): PeerLinks {
    const { init } = this;
    return new PeerLinks({
      identity: init.identity,
      certificate: () => this.#certificate,
      trust: this.#trust,
      openTransport: init.openTransport,
      onConnected: (peer) => {
        const record = this.#neighbours.directory.recordOf(peer);
        this.#tell({ kind: 'peer-connected', peer, ...(record && { record }) });
      },
      onDisconnected: (peer) => this.#tell({ kind: 'peer-disconnected', peer }),
      onFrame: (peer, frame) => {
        if (frame.type === 'block') this.#noteExchanged(frame.bytes.length);
        this.#tell({ kind: 'frame', peer, frame });
      },
      onFlushed: (peer, manifestId, bytes) => {
        this.#traffic.add(manifestId, 'toPeersBytes', bytes);
        this.#noteExchanged(bytes);
        this.#tell({ kind: 'flushed', peer, bytes });
      },
      onUnsent: (peer, bytes) => this.#tell({ kind: 'flushed', peer, bytes }),
      readChunk: (manifestId, chunk, isLast) => this.#files.read(manifestId, chunk, isLast),
      onDiscovered: (peerId, addresses) => this.#neighbours.directory.learnAddresses(peerId, addresses),
      uselessPeer: () => this.#engine.uselessPeer(),
      ...(init.memory?.banned && { bans: init.memory.banned }),
      now: () => performance.now(),
      log: (event, fields) => init.log?.(event, fields),
    });
  }

  /** What was exchanged is counted as it passes: a line of a gigabit carries a month's worth between two looks at the clock. */
  #noteExchanged(bytes: number): void {
    this.#traffic.exchangedBytes += bytes;
    if (this.#traffic.exchangedBytes < this.#mostExchangedBytes || this.#stop.signal.aborted) return;
    const progress = this.progress();
    void this.close();
    this.init.onBudgetUsed?.(progress);
  }

  #tell(event: SwapEvent): void {
    for (const action of this.#engine.handle(event, performance.now())) this.#act(action);
    this.#pulse.stir();
  }

  #act(action: SwapAction): void {
    switch (action.kind) {
      case 'send':
      case 'upload':
        this.#links.enqueue(action);
        return;
      case 'check':
        void this.#files.check(action);
        return;
      case 'origin-ask':
        void this.#origin.ask(action, this.#stop.signal);
        return;
      case 'origin-fetch': {
        const shared = this.#files.get(action.manifestId);
        if (shared) void this.#origin.fetch(shared, action.chunk, this.#stop.signal);
        return;
      }
      case 'disconnect':
        this.init.log?.('peer-disconnected', { peer: action.peer, reason: action.reason });
        this.#links.disconnect(action.peer, action.reason, action.ban);
        return;
      case 'peers-learned':
        for (const record of action.records) {
          const peer = this.#neighbours.directory.learn(record);
          if (peer === action.from) this.#tell({ kind: 'peer-record', peer, record });
        }
    }
  }

  #warn(event: string, error: unknown): undefined {
    if (!this.#stop.signal.aborted) {
      this.init.log?.(event, { reason: error instanceof Error ? error.message : String(error) });
    }
    return undefined;
  }
}

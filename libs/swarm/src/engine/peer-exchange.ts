import { FRAME_LIMITS, type Frame } from '../frames/frame.js';
import type { PeerState, SwapState } from './swap-state.js';

/** Signed records of peers, from whom they are about to those who share a file with them. */
export class PeerExchange {
  /** @param ownRecord this host's own, told to every peer; none when left out */
  constructor(
    private readonly state: SwapState,
    private readonly ownRecord: (() => Uint8Array) | undefined,
  ) {}

  greet(peer: PeerState): void {
    // An accepted peer knows nothing of this host but its key, and others hear of it by its own word alone.
    if (this.ownRecord) this.state.send(peer, { type: 'peers', records: [this.ownRecord()] });
  }

  onPeers(peer: PeerState, frame: Extract<Frame, { type: 'peers' }>, nowMs: number): void {
    // More often is of no use to anybody; the records are dropped, not the peer.
    if (nowMs < peer.recordsAllowedAtMs || frame.records.length === 0) return;
    // The first is the peer's own record, which others may follow at once.
    peer.recordsAllowedAtMs =
      peer.recordsAllowedAtMs === 0 ? nowMs : nowMs + this.state.config.peerExchangeIntervalMs / 2;
    this.state.actions.push({ kind: 'peers-learned', from: peer.id, records: frame.records });
  }

  forget(id: string): void {
    for (const other of this.state.peers.values()) other.recordsTold.delete(id);
  }

  /** Tells each peer now and then about others that share a file with it and allowed their record to be passed on. */
  tick(nowMs: number): void {
    for (const peer of this.state.peers.values()) {
      if (nowMs - peer.recordsSentAtMs < this.state.config.peerExchangeIntervalMs) continue;
      const records: Uint8Array[] = [];
      for (const other of this.state.peers.values()) {
        if (other === peer || !other.record || peer.recordsTold.get(other.id) === other.record) continue;
        if (records.length === FRAME_LIMITS.records || !sharesFile(peer, other)) continue;
        peer.recordsTold.set(other.id, other.record);
        records.push(other.record);
      }
      if (records.length === 0) continue;
      peer.recordsSentAtMs = nowMs;
      this.state.send(peer, { type: 'peers', records });
    }
  }
}

function sharesFile(a: PeerState, b: PeerState): boolean {
  for (const [file, { permittedUntilMs }] of a.files) {
    if (permittedUntilMs !== undefined && b.files.get(file)?.permittedUntilMs !== undefined) return true;
  }
  return false;
}

import type { Frame } from '../frames/frame.js';
import { Bitmap } from './bitmap.js';
import type { FileState, PeerFile, PeerState, SwapState, TheirChannel } from './swap-state.js';

type FrameOf<T extends Frame['type']> = Extract<Frame, { type: T }>;

/** Which files are shared with which peer: opening against tickets, bitmaps, availability, interest. */
export class Channels {
  constructor(private readonly state: SwapState) {}

  greet(peer: PeerState): void {
    for (const file of this.state.files.values()) this.#open(peer, file);
  }

  addFile(file: FileState, nowMs: number): void {
    for (const peer of this.state.peers.values()) {
      this.#open(peer, file);
      for (const opened of peer.theirChannels.values())
        if (opened.manifestId === file.manifestId) this.#admit(peer, file, opened, nowMs);
    }
  }

  renewTicket(file: FileState, ticket: Uint8Array): void {
    file.ticket = ticket;
    for (const peer of this.state.peers.values()) this.#open(peer, file);
  }

  closeFile(file: FileState): void {
    for (const peer of this.state.peers.values()) {
      this.state.send(peer, { type: 'close', channel: file.channel, reason: 'done' });
      this.forget(peer, file);
    }
  }

  /** The peer no longer counts for this file. */
  forget(peer: PeerState, file: FileState): void {
    const shared = peer.files.get(file);
    if (!shared) return;
    for (const chunk of shared.has ?? []) lower(file.availability, chunk);
    peer.files.delete(file);
  }

  onOpen(peer: PeerState, frame: FrameOf<'open'>, nowMs: number): void {
    const known = peer.theirChannels.get(frame.channel);
    if (known && known.manifestId !== frame.manifestId) {
      this.state.disconnect(peer, 'protocol-error');
      return;
    }
    // Kept although the file may be unknown here: this host may be given it later.
    const file = this.state.files.get(frame.manifestId);
    const isJudged =
      known?.isRefused === true || (file && peer.files.get(file)?.permittedUntilMs !== undefined);
    // The same ticket again says nothing new.
    if (known && isJudged === true && Buffer.compare(known.ticket, frame.ticket) === 0) return;
    const opened = { manifestId: frame.manifestId, ticket: frame.ticket, isRefused: false };
    peer.theirChannels.set(frame.channel, opened);
    if (file) this.#admit(peer, file, opened, nowMs);
  }

  onClose(peer: PeerState, frame: FrameOf<'close'>): FileState | undefined {
    const file = this.fileOf(peer, frame.channel);
    // A refusal keeps the channel: the peer may still fetch from us, and may let us in when our ticket is renewed.
    if (frame.reason !== 'not-permitted') peer.theirChannels.delete(frame.channel);
    return file;
  }

  onBitmap(peer: PeerState, frame: FrameOf<'bitmap'>): void {
    const file = this.fileOf(peer, frame.channel);
    if (!file) return;
    if (frame.count !== file.init.chunkCount) {
      this.state.disconnect(peer, 'mismatch');
      return;
    }
    const shared = this.#shared(peer, file);
    for (const chunk of shared.has ?? []) lower(file.availability, chunk);
    shared.has = new Bitmap(frame.count, frame.bits);
    for (const chunk of shared.has) raise(file.availability, chunk);
    this.updateInterest(peer, file);
  }

  onHave(peer: PeerState, frame: FrameOf<'have'>, nowMs: number): void {
    const file = this.fileOf(peer, frame.channel);
    const shared = file && peer.files.get(file);
    if (!file || !shared?.has) return;
    if (frame.chunk >= file.init.chunkCount) {
      this.state.disconnect(peer, 'protocol-error');
      return;
    }
    if (!shared.has.add(frame.chunk)) return;
    file.movedAtMs = nowMs;
    raise(file.availability, frame.chunk);
    if (!shared.weWant && file.missing.has(frame.chunk)) this.#setInterest(peer, file, shared, true);
  }

  onInterest(peer: PeerState, frame: FrameOf<'interest'>): void {
    const file = this.fileOf(peer, frame.channel);
    if (file) this.#shared(peer, file).theyWant = frame.wanted;
  }

  /** The peer turned out not to have a chunk. */
  retract(peer: PeerState, file: FileState, chunk: number): void {
    if (peer.files.get(file)?.has?.delete(chunk)) lower(file.availability, chunk);
  }

  /**
   * Tells everybody who may know that this host has one more chunk: at once whoever can ask for it, the others together with what
   * else comes until the next tick. A word costs both ends as much as a small block, and there is one for each chunk on each link.
   */
  announce(file: FileState, chunk: number): void {
    for (const peer of this.state.peers.values()) {
      const shared = peer.files.get(file);
      if (shared?.permittedUntilMs === undefined || shared.has?.has(chunk)) continue;
      if (peer.holdsOurSlot) this.state.send(peer, { type: 'have', channel: file.channel, chunk });
      else shared.untold.add(chunk);
    }
  }

  /** Tells the peer what it was not told of so far. */
  tellRest(peer: PeerState): void {
    for (const [file, { untold, has, permittedUntilMs }] of peer.files) {
      for (const chunk of untold) {
        if (permittedUntilMs !== undefined && file.have.has(chunk) && !has?.has(chunk))
          this.state.send(peer, { type: 'have', channel: file.channel, chunk });
      }
      untold.clear();
    }
  }

  updateInterest(peer: PeerState, file: FileState): void {
    const shared = peer.files.get(file);
    if (!shared) return;
    let wanted = false;
    for (const chunk of file.missing) {
      if (shared.has?.has(chunk)) {
        wanted = true;
        break;
      }
    }
    if (wanted !== shared.weWant) this.#setInterest(peer, file, shared, wanted);
  }

  /**
   * Closes what tickets no longer allow, brings interest up to date, and tells what is there by now.
   *
   * @returns who may no longer have which file
   */
  tick(nowMs: number): Array<{ readonly peer: PeerState; readonly file: FileState }> {
    const expired: Array<{ readonly peer: PeerState; readonly file: FileState }> = [];
    for (const peer of this.state.peers.values()) {
      for (const [file, shared] of peer.files) {
        if (shared.permittedUntilMs !== undefined && shared.permittedUntilMs <= nowMs) {
          shared.permittedUntilMs = undefined;
          this.state.send(peer, { type: 'close', channel: file.channel, reason: 'not-permitted' });
          expired.push({ peer, file });
        }
        this.updateInterest(peer, file);
      }
      this.tellRest(peer);
    }
    return expired;
  }

  /** The file that the peer means by one of its channels, if this host shares it. */
  fileOf(peer: PeerState, channel: number): FileState | undefined {
    const opened = peer.theirChannels.get(channel);
    return opened && this.state.files.get(opened.manifestId);
  }

  #open(peer: PeerState, file: FileState): void {
    this.state.send(peer, {
      type: 'open',
      channel: file.channel,
      manifestId: file.manifestId,
      ticket: file.ticket,
    });
  }

  #admit(peer: PeerState, file: FileState, opened: TheirChannel, nowMs: number): void {
    const permittedUntilMs = this.state.authorize(peer.id, file.manifestId, opened.ticket, nowMs);
    if (permittedUntilMs === undefined || permittedUntilMs <= nowMs) {
      opened.isRefused = true;
      this.state.send(peer, { type: 'close', channel: file.channel, reason: 'not-permitted' });
      return;
    }
    const shared = this.#shared(peer, file);
    const isNew = shared.permittedUntilMs === undefined;
    shared.permittedUntilMs = permittedUntilMs;
    if (!isNew) return;
    this.state.send(peer, {
      type: 'bitmap',
      channel: file.channel,
      count: file.init.chunkCount,
      bits: file.have.bytes.slice(),
    });
  }

  #setInterest(peer: PeerState, file: FileState, shared: PeerFile, wanted: boolean): void {
    shared.weWant = wanted;
    this.state.send(peer, { type: 'interest', channel: file.channel, wanted });
  }

  #shared(peer: PeerState, file: FileState): PeerFile {
    let shared = peer.files.get(file);
    if (!shared) {
      shared = {
        permittedUntilMs: undefined,
        has: undefined,
        untold: new Set(),
        theyWant: false,
        weWant: false,
      };
      peer.files.set(file, shared);
    }
    return shared;
  }
}

function raise(counts: Uint16Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

function lower(counts: Uint16Array, index: number): void {
  counts[index] = (counts[index] ?? 1) - 1;
}

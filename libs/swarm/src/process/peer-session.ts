import type { SwarmCertificate } from '@gleaner/protocol';
import type { SwapAction } from '../engine/swap-events.js';
import { encodeBlockHeader, encodeFrame, FRAME_LIMITS, FrameDecoder, type Frame } from '../frames/index.js';
import type { Link, LinkReader } from '../links/index.js';

/** What waits to be sent: more than any honest exchange of control frames leaves unsent. */
const MAX_OUTGOING = 20_000;

/** What is sent at once: each time costs a header, an encryption and a word of the other side's. */
const TOGETHER_BYTES = 512 * 1024;

type Outgoing = Extract<SwapAction, { kind: 'send' | 'upload' }>;
type Upload = Extract<Outgoing, { kind: 'upload' }>;

export interface PeerSessionEvents {
  readonly onFrame: (frame: Frame) => void;
  /** Uploaded bytes have been handed to the link, which has room again. */
  readonly onFlushed: (manifestId: string, bytes: number) => void;
  /** Bytes that were to be uploaded will not be: the file was left, or the disk did not return them. */
  readonly onUnsent: (bytes: number) => void;
  /** Milliseconds from a clock that never goes back. */
  readonly now: () => number;
  readonly onEnd: (error: Error | undefined) => void;
  /** A chunk of the store; `isLast` when it is not read again for this link. */
  readonly readChunk: (manifestId: string, chunk: number, isLast: boolean) => Promise<Uint8Array>;
}

/** One authenticated link: frames in, frames and blocks out, in the order in which the engine decided them. */
export class PeerSession {
  readonly #outgoing: Outgoing[] = [];
  /** When the peer's last bytes came, and when the last were meant for it. */
  lastHeardMs: number;
  lastSaidMs: number;
  /** Whether the peer has said anything: whoever is let in is told so by a word. */
  hasHeard = false;
  #isSending = false;
  #isEnded = false;

  constructor(
    readonly link: Link,
    readonly certificate: SwarmCertificate,
    readonly isDialer: boolean,
    private readonly events: PeerSessionEvents,
  ) {
    this.lastHeardMs = events.now();
    this.lastSaidMs = this.lastHeardMs;
  }

  get peerId(): string {
    return this.certificate.peerId;
  }

  /** Reads until the link ends. Never rejects: `onEnd` tells. */
  async read(reader: LinkReader): Promise<void> {
    const decoder = new FrameDecoder();
    try {
      for await (const piece of reader) {
        this.lastHeardMs = this.events.now();
        for (const frame of decoder.push(piece)) {
          // The engine may have ended this session over the frame before.
          if (this.#isEnded) return;
          this.hasHeard = true;
          this.events.onFrame(frame);
        }
      }
      decoder.end();
      this.end();
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  enqueue(action: Outgoing): void {
    if (this.#isEnded) return;
    if (this.#outgoing.length >= MAX_OUTGOING) {
      this.end(new Error(`${MAX_OUTGOING} frames wait for a peer that does not read`));
      return;
    }
    this.lastSaidMs = this.events.now();
    this.#outgoing.push(action);
    // Read while the blocks before it are sent; whoever sends it sees the error.
    if (action.kind === 'upload' && action.offset === 0) {
      this.events.readChunk(action.manifestId, action.chunk, false).catch(() => undefined);
    }
    if (this.#isSending) return;
    this.#isSending = true;
    // What follows from other bytes that came with these goes with it.
    setImmediate(() => void this.#sendAll());
  }

  /** Closes the link and says so once; ending twice is safe. */
  end(error?: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#outgoing.length = 0;
    this.link.abort(error ?? new Error('the session has ended'));
    this.events.onEnd(error);
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#outgoing.length > 0) await this.#sendTogether();
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#isSending = false;
    }
  }

  async #sendTogether(): Promise<void> {
    const pieces: Uint8Array[] = [];
    const uploadedBytes = new Map<string, number>();
    for (let bytes = 0; bytes < TOGETHER_BYTES;) {
      const action = this.#outgoing.shift();
      if (!action) break;
      if (action.kind === 'send') {
        const frame = encodeFrame(action.frame);
        pieces.push(frame);
        bytes += frame.length;
        continue;
      }
      const { manifestId, chunk, length, isLast } = action;
      const bytesOfChunk = await this.events.readChunk(manifestId, chunk, isLast).catch(() => undefined);
      if (!bytesOfChunk) {
        pieces.push(this.#giveUp(action));
        continue;
      }
      addBlocks(pieces, action, bytesOfChunk);
      uploadedBytes.set(manifestId, (uploadedBytes.get(manifestId) ?? 0) + length);
      bytes += length;
    }
    // The engine may have ended this session while a chunk was read.
    if (this.#isEnded) return;
    if (!this.link.send(pieces)) await this.link.drained();
    for (const [manifestId, bytes] of uploadedBytes) this.events.onFlushed(manifestId, bytes);
  }

  /** The rest of the chunk does not come. Returns what tells the peer so: the link carries other files, too. */
  #giveUp({ manifestId, channel, chunk, length }: Upload): Uint8Array {
    let unsentBytes = length;
    for (let at = this.#outgoing.length - 1; at >= 0; at -= 1) {
      const action = this.#outgoing[at];
      if (action?.kind !== 'upload' || action.manifestId !== manifestId || action.chunk !== chunk) continue;
      unsentBytes += action.length;
      this.#outgoing.splice(at, 1);
    }
    this.events.onUnsent(unsentBytes);
    return encodeFrame({ type: 'reject', channel, chunk });
  }
}

function addBlocks(pieces: Uint8Array[], upload: Upload, chunk: Uint8Array): void {
  for (let { offset } = upload, end = offset + upload.length; offset < end;) {
    const bytes = chunk.subarray(offset, Math.min(offset + FRAME_LIMITS.blockBytes, end));
    pieces.push(encodeBlockHeader({ ...upload, offset }, bytes.length), bytes);
    offset += bytes.length;
  }
}

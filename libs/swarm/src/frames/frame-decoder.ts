import { BLOCK_HEADER_BYTES, FRAME_CODES } from './encode-frame.js';
import {
  CLOSE_REASONS,
  FRAME_LIMITS,
  FRAME_TYPES,
  FrameError,
  type Frame,
  type FrameFault,
  type FrameType,
} from './frame.js';

const PREFIX_BYTES = 4;

const typeOfCode: readonly (FrameType | undefined)[] = FRAME_TYPES.reduce<Array<FrameType | undefined>>(
  (types, type) => {
    types[FRAME_CODES[type]] = type;
    return types;
  },
  [],
);

/** Payload bytes (without the type byte) that each type may have, checked before they are buffered. */
const payloadBounds: Readonly<Record<FrameType, readonly [least: number, most: number]>> = {
  open: [34, 34 + FRAME_LIMITS.ticketBytes],
  close: [3, 3],
  bitmap: [6, 6 + FRAME_LIMITS.chunks / 8],
  have: [6, 6],
  interest: [3, 3],
  slot: [1, 1],
  request: [6, 6],
  cancel: [6, 6],
  reject: [6, 6],
  block: [11, 10 + FRAME_LIMITS.blockBytes],
  peers: [1, FRAME_LIMITS.frameBytes - 1],
};

interface ArrivingBlock {
  readonly channel: number;
  readonly chunk: number;
  offset: number;
  leftBytes: number;
}

/**
 * Turns a byte stream, cut anywhere, into frames. Holds at most one control frame, and refuses its length and type as soon as
 * these five bytes are there. A block is most of the traffic and is never gathered: its data are passed on as they come, as
 * several `block` frames where the stream was cut. After an error it stays broken.
 */
export class FrameDecoder {
  #header = new Uint8Array(BLOCK_HEADER_BYTES);
  /** The header of a block is longer than others. */
  #headerBytes = PREFIX_BYTES + 1;
  #headerFilled = 0;
  #payload: Uint8Array | undefined;
  #payloadFilled = 0;
  /** The block that is arriving, and where its next data belong. */
  #block: ArrivingBlock | undefined;
  #atByte = 0;
  #error: FrameError | undefined;

  /**
   * Takes bytes in and yields the frames that they complete. Control frames own their bytes; a block's are a part of those taken in,
   * for whoever keeps them to copy.
   *
   * @throws {FrameError} when the bytes are not the protocol's
   */
  *push(bytes: Uint8Array): Generator<Frame> {
    if (this.#error) throw this.#error;
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#block) {
        const part = bytes.subarray(offset, offset + this.#block.leftBytes);
        offset += part.length;
        yield this.#takePart(this.#block, part);
        continue;
      }
      if (!this.#payload) {
        const take = Math.min(bytes.length - offset, this.#headerBytes - this.#headerFilled);
        this.#header.set(bytes.subarray(offset, offset + take), this.#headerFilled);
        this.#headerFilled += take;
        offset += take;
        if (this.#headerFilled < this.#headerBytes) return;
        this.#takeHeader();
        continue;
      }
      const take = Math.min(bytes.length - offset, this.#payload.length - this.#payloadFilled);
      this.#payload.set(bytes.subarray(offset, offset + take), this.#payloadFilled);
      this.#payloadFilled += take;
      offset += take;
      if (this.#payloadFilled < this.#payload.length) return;
      const frame = this.#decode(this.#payload);
      this.#finish(this.#payload.length);
      yield frame;
    }
  }

  /**
   * Says that the stream has ended.
   *
   * @throws {FrameError} `truncated` when it ended inside a frame
   */
  end(): void {
    if (this.#error) throw this.#error;
    if (this.#headerFilled > 0) throw this.#fail('truncated', 'the stream ended inside a frame');
  }

  /** The header that was waited for is there: of any frame, or the rest of a block's. */
  #takeHeader(): void {
    const length = this.#payloadLength();
    if (this.#type() !== 'block') {
      this.#payload = new Uint8Array(length);
      this.#payloadFilled = 0;
    } else if (this.#headerBytes < BLOCK_HEADER_BYTES) {
      this.#headerBytes = BLOCK_HEADER_BYTES;
    } else {
      const view = viewOf(this.#header.subarray(PREFIX_BYTES + 1));
      const offset = view.getUint32(6);
      // Only a chunk's last block may be short: nobody is kept busy with blocks of single bytes.
      if (offset % FRAME_LIMITS.blockBytes !== 0) throw this.#fail('out-of-bounds', `a block at ${offset}`);
      const leftBytes = length - (BLOCK_HEADER_BYTES - PREFIX_BYTES - 1);
      this.#block = { channel: this.#channel(view), chunk: this.#chunk(view), offset, leftBytes };
    }
  }

  #takePart(block: ArrivingBlock, bytes: Uint8Array): Frame {
    const { channel, chunk, offset } = block;
    block.offset += bytes.length;
    block.leftBytes -= bytes.length;
    if (block.leftBytes === 0) this.#finish(this.#payloadLength());
    return { type: 'block', channel, chunk, offset, bytes };
  }

  #finish(payloadBytes: number): void {
    this.#atByte += PREFIX_BYTES + 1 + payloadBytes;
    this.#payload = undefined;
    this.#block = undefined;
    this.#headerFilled = 0;
    this.#headerBytes = PREFIX_BYTES + 1;
  }

  #payloadLength(): number {
    const length = viewOf(this.#header).getUint32(0);
    if (length > FRAME_LIMITS.frameBytes) {
      throw this.#fail('too-long', `${length} bytes announced, at most ${FRAME_LIMITS.frameBytes} allowed`);
    }
    const type = this.#type();
    const [least, most] = payloadBounds[type];
    if (length - 1 < least || length - 1 > most) {
      throw this.#fail('wrong-length', `"${type}" cannot have ${length - 1} bytes`);
    }
    return length - 1;
  }

  #type(): FrameType {
    const code = this.#header[PREFIX_BYTES] ?? 0;
    const type = typeOfCode[code];
    if (!type) throw this.#fail('unknown-type', `no frame type ${code}`);
    return type;
  }

  #decode(payload: Uint8Array): Frame {
    const view = viewOf(payload);
    const type = this.#type();
    switch (type) {
      case 'block':
        throw new TypeError('blocks are not gathered');
      case 'slot':
        return { type, granted: this.#flag(view, 0) };
      case 'peers':
        return { type, records: this.#records(payload, view) };
      case 'open':
        return {
          type,
          channel: this.#channel(view),
          manifestId: Buffer.from(payload.subarray(2, 34)).toString('hex'),
          ticket: payload.subarray(34),
        };
      case 'close': {
        const reason = CLOSE_REASONS[view.getUint8(2)];
        if (!reason) throw this.#fail('out-of-bounds', `no close reason ${view.getUint8(2)}`);
        return { type, channel: this.#channel(view), reason };
      }
      case 'bitmap':
        return { type, channel: this.#channel(view), ...this.#bitmap(payload, view) };
      case 'interest':
        return { type, channel: this.#channel(view), wanted: this.#flag(view, 2) };
      case 'have':
      case 'request':
      case 'cancel':
      case 'reject':
        return { type, channel: this.#channel(view), chunk: this.#chunk(view) };
    }
  }

  #channel(view: DataView): number {
    const channel = view.getUint16(0);
    if (channel >= FRAME_LIMITS.channels) throw this.#fail('out-of-bounds', `channel ${channel}`);
    return channel;
  }

  #chunk(view: DataView): number {
    const chunk = view.getUint32(2);
    if (chunk >= FRAME_LIMITS.chunks) throw this.#fail('out-of-bounds', `chunk ${chunk}`);
    return chunk;
  }

  #flag(view: DataView, at: number): boolean {
    const value = view.getUint8(at);
    if (value > 1) throw this.#fail('out-of-bounds', `a flag must be 0 or 1, not ${value}`);
    return value === 1;
  }

  #bitmap(payload: Uint8Array, view: DataView): { count: number; bits: Uint8Array } {
    const count = view.getUint32(2);
    if (count > FRAME_LIMITS.chunks) throw this.#fail('out-of-bounds', `${count} chunks`);
    const bits = payload.subarray(6);
    if (bits.length !== Math.ceil(count / 8)) throw this.#fail('wrong-length', 'bitmap and count disagree');
    // One encoding a bitmap: a chunk beyond the end is a lie, not padding.
    if (count % 8 !== 0 && (bits.at(-1) ?? 0) >> (count % 8) !== 0) {
      throw this.#fail('out-of-bounds', 'the bitmap names chunks beyond its count');
    }
    return { count, bits };
  }

  #records(payload: Uint8Array, view: DataView): Uint8Array[] {
    const count = view.getUint8(0);
    if (count > FRAME_LIMITS.records) throw this.#fail('out-of-bounds', `${count} peer records`);
    const records: Uint8Array[] = [];
    let offset = 1;
    for (let index = 0; index < count; index += 1) {
      if (offset + 2 > payload.length) throw this.#fail('wrong-length', 'peer records end early');
      const length = view.getUint16(offset);
      if (length > FRAME_LIMITS.recordBytes)
        throw this.#fail('out-of-bounds', `a peer record of ${length} bytes`);
      offset += 2;
      if (offset + length > payload.length) throw this.#fail('wrong-length', 'peer records end early');
      records.push(payload.subarray(offset, offset + length));
      offset += length;
    }
    if (offset !== payload.length) throw this.#fail('wrong-length', 'bytes after the last peer record');
    return records;
  }

  #fail(fault: FrameFault, detail: string): FrameError {
    this.#error = new FrameError(fault, this.#atByte, detail);
    return this.#error;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

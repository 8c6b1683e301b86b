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

/**
 * Turns a byte stream, cut anywhere, into frames. Holds at most one frame, and refuses its length and type as soon as
 * these five bytes are there. After an error it stays broken.
 */
export class FrameDecoder {
  #header = new Uint8Array(PREFIX_BYTES + 1);
  #headerFilled = 0;
  #payload: Uint8Array | undefined;
  #payloadFilled = 0;
  #atByte = 0;
  #error: FrameError | undefined;

  /**
   * Takes bytes in and yields the frames that they complete. Frames own their bytes.
   *
   * @throws {FrameError} when the bytes are not the protocol's
   */
  *push(bytes: Uint8Array): Generator<Frame> {
    if (this.#error) throw this.#error;
    let offset = 0;
    while (offset < bytes.length) {
      if (!this.#payload) {
        const take = Math.min(bytes.length - offset, this.#header.length - this.#headerFilled);
        this.#header.set(bytes.subarray(offset, offset + take), this.#headerFilled);
        this.#headerFilled += take;
        offset += take;
        if (this.#headerFilled < this.#header.length) return;
        // Not zeroed: it is filled before anybody sees it, and blocks are most of the traffic.
        this.#payload = new Uint8Array(Buffer.allocUnsafeSlow(this.#payloadLength()).buffer);
        this.#payloadFilled = 0;
      }
      const take = Math.min(bytes.length - offset, this.#payload.length - this.#payloadFilled);
      this.#payload.set(bytes.subarray(offset, offset + take), this.#payloadFilled);
      this.#payloadFilled += take;
      offset += take;
      if (this.#payloadFilled < this.#payload.length) return;
      const frame = this.#decode(this.#payload);
      this.#atByte += this.#header.length + this.#payload.length;
      this.#payload = undefined;
      this.#headerFilled = 0;
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
      case 'block':
        return {
          type,
          channel: this.#channel(view),
          chunk: this.#chunk(view),
          offset: view.getUint32(6),
          bytes: payload.subarray(BLOCK_HEADER_BYTES - PREFIX_BYTES - 1),
        };
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

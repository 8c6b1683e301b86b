import { CLOSE_REASONS, FRAME_LIMITS, type Frame, type FrameType } from './frame.js';

/** The byte that follows the length prefix. Numbers are never reused. */
export const FRAME_CODES: Readonly<Record<FrameType, number>> = {
  open: 1,
  close: 2,
  bitmap: 3,
  have: 4,
  interest: 5,
  slot: 6,
  request: 7,
  cancel: 8,
  reject: 9,
  block: 10,
  peers: 11,
};

/** Length prefix (unsigned 32 bits, big-endian: type byte and payload) and type byte. */
const HEADER_BYTES = 5;
/** What precedes the data in an encoded block: header, channel, chunk, offset. */
export const BLOCK_HEADER_BYTES = HEADER_BYTES + 10;

/**
 * Encodes a frame with its length prefix.
 *
 * @throws {RangeError} when a field is outside the protocol's bounds
 */
export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'open': {
      requireAtMost('ticket bytes', frame.ticket.length, FRAME_LIMITS.ticketBytes);
      if (!/^[0-9a-f]{64}$/.test(frame.manifestId))
        throw new RangeError('manifestId must be 64 hexadecimal digits');
      const { bytes, view } = start(frame.type, 34 + frame.ticket.length);
      setChannel(view, frame.channel);
      bytes.set(Buffer.from(frame.manifestId, 'hex'), HEADER_BYTES + 2);
      bytes.set(frame.ticket, HEADER_BYTES + 34);
      return bytes;
    }
    case 'close': {
      const { bytes, view } = start(frame.type, 3);
      setChannel(view, frame.channel);
      view.setUint8(HEADER_BYTES + 2, CLOSE_REASONS.indexOf(frame.reason));
      return bytes;
    }
    case 'bitmap': {
      requireAtMost('chunks', frame.count, FRAME_LIMITS.chunks);
      if (frame.bits.length !== Math.ceil(frame.count / 8)) throw new RangeError('bitmap and count disagree');
      const { bytes, view } = start(frame.type, 6 + frame.bits.length);
      setChannel(view, frame.channel);
      view.setUint32(HEADER_BYTES + 2, frame.count);
      bytes.set(frame.bits, HEADER_BYTES + 6);
      return bytes;
    }
    case 'interest': {
      const { bytes, view } = start(frame.type, 3);
      setChannel(view, frame.channel);
      view.setUint8(HEADER_BYTES + 2, frame.wanted ? 1 : 0);
      return bytes;
    }
    case 'slot': {
      const { bytes, view } = start(frame.type, 1);
      view.setUint8(HEADER_BYTES, frame.granted ? 1 : 0);
      return bytes;
    }
    case 'have':
    case 'request':
    case 'cancel':
    case 'reject': {
      const { bytes, view } = start(frame.type, 6);
      setChannel(view, frame.channel);
      setChunk(view, frame.chunk);
      return bytes;
    }
    case 'block': {
      const bytes = encodeBlockHeader(frame, frame.bytes.length);
      const whole = new Uint8Array(bytes.length + frame.bytes.length);
      whole.set(bytes);
      whole.set(frame.bytes, bytes.length);
      return whole;
    }
    case 'peers':
      return encodePeers(frame.records);
  }
}

/** The bytes that precede `lengthBytes` of data in an encoded block, so that a sender need not copy the data. */
export function encodeBlockHeader(
  block: { readonly channel: number; readonly chunk: number; readonly offset: number },
  lengthBytes: number,
): Uint8Array {
  requireAtMost('block bytes', lengthBytes, FRAME_LIMITS.blockBytes);
  if (block.offset % FRAME_LIMITS.blockBytes !== 0)
    throw new RangeError(`a block cannot start at ${block.offset}`);
  const bytes = new Uint8Array(BLOCK_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, BLOCK_HEADER_BYTES - 4 + lengthBytes);
  view.setUint8(4, FRAME_CODES.block);
  setChannel(view, block.channel);
  setChunk(view, block.chunk);
  view.setUint32(HEADER_BYTES + 6, block.offset);
  return bytes;
}

function encodePeers(records: readonly Uint8Array[]): Uint8Array {
  requireAtMost('records', records.length, FRAME_LIMITS.records);
  let length = 1;
  for (const record of records) {
    requireAtMost('record bytes', record.length, FRAME_LIMITS.recordBytes);
    length += 2 + record.length;
  }
  const { bytes, view } = start('peers', length);
  view.setUint8(HEADER_BYTES, records.length);
  let offset = HEADER_BYTES + 1;
  for (const record of records) {
    view.setUint16(offset, record.length);
    bytes.set(record, offset + 2);
    offset += 2 + record.length;
  }
  return bytes;
}

function start(type: FrameType, payloadBytes: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(HEADER_BYTES + payloadBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 1 + payloadBytes);
  view.setUint8(4, FRAME_CODES[type]);
  return { bytes, view };
}

function setChannel(view: DataView, channel: number): void {
  requireAtMost('channel', channel, FRAME_LIMITS.channels - 1);
  view.setUint16(HEADER_BYTES, channel);
}

function setChunk(view: DataView, chunk: number): void {
  requireAtMost('chunk', chunk, FRAME_LIMITS.chunks - 1);
  view.setUint32(HEADER_BYTES + 2, chunk);
}

function requireAtMost(what: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RangeError(`${what} must be an integer from 0 to ${most}, not ${value}`);
  }
}

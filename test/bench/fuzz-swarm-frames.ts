import { encodeFrame, FRAME_LIMITS, FrameDecoder, FrameError, type Frame } from '@gleaner/swarm/frames';
import type { Random } from './fuzz-sandbox-random.js';

export interface FuzzedStream {
  readonly frames: readonly Frame[];
  /** What was wrong with the stream in the end; undefined where nothing was. */
  readonly fault: string | undefined;
}

/**
 * Feeds the decoder with mutated frames: every answer must be frames or a FrameError, the same however the stream is cut, and what was
 * accepted must encode to the very bytes that were read.
 *
 * @throws {Error} when it is not so
 */
export function fuzzStream(random: Random): FuzzedStream {
  const frames = Array.from({ length: 1 + random.int(4) }, () => encodeFrame(randomFrame(random)));
  const stream = mutated(Buffer.concat(frames), random);
  const whole = decode([stream]);
  if (JSON.stringify(whole) !== JSON.stringify(decode(cut(stream, random))))
    throw wrong('the answer depends on where the stream is cut', stream);
  const last = whole.frames.at(-1);
  // Of a block that was cut off only a part has come.
  const complete =
    whole.fault === 'truncated' && last?.type === 'block' ? whole.frames.slice(0, -1) : whole.frames;
  const accepted = Buffer.concat(complete.map((frame) => encodeFrame(frame)));
  if (!accepted.equals(stream.subarray(0, accepted.length)))
    throw wrong('an accepted frame has two encodings', stream);
  if (whole.fault === undefined && accepted.length !== stream.length)
    throw wrong('bytes were swallowed', stream);
  return whole;
}

/** Bytes with up to four edits: changed, cut off or put in between. */
export function mutated(input: Buffer, random: Random): Buffer {
  let bytes = input;
  for (let edits = random.int(5); edits > 0 && bytes.length > 0; edits -= 1) {
    const at = random.int(bytes.length);
    switch (random.int(4)) {
      case 0:
        bytes[at] = random.int(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          randomBytes(random.int(9), random),
          bytes.subarray(at),
        ]);
    }
  }
  return bytes;
}

export function randomBytes(length: number, random: Random): Uint8Array {
  return Uint8Array.from({ length }, () => random.int(256));
}

/** A frame that the protocol allows, of any content. */
export function randomFrame(random: Random): Frame {
  const channel = random.int(FRAME_LIMITS.channels);
  const chunk = random.int(FRAME_LIMITS.chunks);
  const bytes = (most: number): Uint8Array => randomBytes(random.int(most + 1), random);
  switch (random.int(8)) {
    case 0:
      return {
        type: 'open',
        channel,
        manifestId: Buffer.from(randomBytes(32, random)).toString('hex'),
        ticket: bytes(FRAME_LIMITS.ticketBytes),
      };
    case 1:
      return { type: 'close', channel, reason: 'mismatch' };
    case 2: {
      const bits = bytes(64);
      return { type: 'bitmap', channel, count: bits.length * 8, bits };
    }
    case 3:
      return { type: 'interest', channel, wanted: random.chance(50) };
    case 4:
      return { type: 'slot', granted: random.chance(50) };
    case 5: {
      const most = random.chance(10) ? FRAME_LIMITS.blockBytes - 1 : 300;
      const offset = random.int(2 ** 16) * FRAME_LIMITS.blockBytes;
      return { type: 'block', channel, chunk, offset, bytes: randomBytes(1 + random.int(most), random) };
    }
    case 6:
      return {
        type: 'peers',
        records: Array.from({ length: random.int(FRAME_LIMITS.records + 1) }, () => bytes(100)),
      };
    default:
      return { type: random.pick(['have', 'request', 'cancel', 'reject'] as const), channel, chunk };
  }
}

function decode(pieces: readonly Uint8Array[]): FuzzedStream {
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  try {
    for (const piece of pieces) for (const frame of decoder.push(piece)) gather(frames, frame);
    decoder.end();
    return { frames, fault: undefined };
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return { frames, fault: error.fault };
  }
}

/** A block that was cut comes in parts; here it is whole again. */
function gather(frames: Frame[], frame: Frame): void {
  const last = frames.at(-1);
  const isPart = frame.type === 'block' && frame.offset % FRAME_LIMITS.blockBytes !== 0;
  if (!isPart) {
    frames.push(frame);
  } else if (last?.type === 'block' && last.offset + last.bytes.length === frame.offset) {
    frames[frames.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, frame.bytes]) };
  } else {
    throw new Error('a part of a block follows nothing');
  }
}

function cut(stream: Uint8Array, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const length = 1 + random.int(random.chance(50) ? 8 : stream.length);
    pieces.push(stream.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

function wrong(what: string, stream: Uint8Array): Error {
  return new Error(`${what}: ${Buffer.from(stream).toString('hex')}`);
}

// Feeds the swap protocol's decoder with mutated frames until the time is over: every answer must be frames or a FrameError,
// the same however the stream is cut, and what was accepted must encode to the very bytes that were read.
import { randomInt } from 'node:crypto';
import { encodeFrame, FRAME_LIMITS, FrameDecoder, FrameError, type Frame } from '@gleaner/swarm/frames';
import { readCommandLine } from '../support/command-line.js';

const { values } = readCommandLine({
  start: 'npm run fuzz:swarm',
  purpose: "Mutated frames against the swap protocol's decoder.",
  options: {
    seconds: { type: 'string', default: '10', help: 'how long, at most 86400' },
    seed: { type: 'string', help: 'of the first stream; drawn where none is given' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
});
const seconds = Number(values.seconds);
if (!(seconds > 0 && seconds <= 86_400)) {
  console.error('fuzz-swarm: --seconds must be a number above 0 and at most 86400');
  process.exit(2);
}
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const next = mulberry32(seed);
const below = (limit: number): number => Math.floor(next() * limit);

let streams = 0;
let acceptedFrames = 0;
const refusals: Record<string, number> = {};
const end = performance.now() + seconds * 1000;
while (performance.now() < end) {
  const stream = mutate(
    Buffer.concat(Array.from({ length: 1 + below(4) }, () => encodeFrame(randomFrame()))),
  );
  const whole = decode([stream]);
  const pieces = decode(cut(stream));
  if (JSON.stringify(whole) !== JSON.stringify(pieces))
    fail('the answer depends on where the stream is cut', stream);
  const last = whole.frames.at(-1);
  // Of a block that was cut off only a part has come.
  const complete =
    whole.fault === 'truncated' && last?.type === 'block' ? whole.frames.slice(0, -1) : whole.frames;
  const accepted = Buffer.concat(complete.map((frame) => encodeFrame(frame)));
  if (!accepted.equals(stream.subarray(0, accepted.length)))
    fail('an accepted frame has two encodings', stream);
  if (whole.fault === undefined && accepted.length !== stream.length) fail('bytes were swallowed', stream);
  streams += 1;
  acceptedFrames += whole.frames.length;
  const key = whole.fault ?? 'none';
  refusals[key] = (refusals[key] ?? 0) + 1;
}
const report = { seed, seconds, streams, acceptedFrames, endedBy: refusals };
console.log(
  values.json
    ? JSON.stringify(report)
    : `${streams} streams, ${acceptedFrames} frames accepted, no fault found (seed ${seed}); ended by: ${JSON.stringify(refusals)}`,
);

function decode(pieces: readonly Uint8Array[]): { frames: Frame[]; fault: string | undefined } {
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
    throw new Error(`a part of a block follows nothing (seed ${seed}, stream ${streams})`);
  }
}

function mutate(input: Buffer): Buffer {
  let stream = input;
  for (let edits = below(5); edits > 0 && stream.length > 0; edits -= 1) {
    const at = below(stream.length);
    switch (below(4)) {
      case 0:
        stream[at] = below(256);
        break;
      case 1:
        stream[at] = (stream[at] ?? 0) ^ (1 << below(8));
        break;
      case 2:
        stream = stream.subarray(0, at);
        break;
      default:
        stream = Buffer.concat([stream.subarray(0, at), randomBytes(below(9)), stream.subarray(at)]);
    }
  }
  return stream;
}

function cut(stream: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const length = 1 + below(next() < 0.5 ? 8 : stream.length);
    pieces.push(stream.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

function randomFrame(): Frame {
  const channel = below(FRAME_LIMITS.channels);
  const chunk = below(FRAME_LIMITS.chunks);
  const bytes = (most: number): Uint8Array => randomBytes(below(most + 1));
  switch (below(8)) {
    case 0:
      return {
        type: 'open',
        channel,
        manifestId: Buffer.from(randomBytes(32)).toString('hex'),
        ticket: bytes(FRAME_LIMITS.ticketBytes),
      };
    case 1:
      return { type: 'close', channel, reason: 'mismatch' };
    case 2: {
      const bits = bytes(64);
      return { type: 'bitmap', channel, count: bits.length * 8, bits };
    }
    case 3:
      return { type: 'interest', channel, wanted: next() < 0.5 };
    case 4:
      return { type: 'slot', granted: next() < 0.5 };
    case 5: {
      const size = next() < 0.1 ? FRAME_LIMITS.blockBytes - 1 : 300;
      return {
        type: 'block',
        channel,
        chunk,
        offset: below(2 ** 16) * FRAME_LIMITS.blockBytes,
        bytes: randomBytes(1 + below(size)),
      };
    }
    case 6:
      return {
        type: 'peers',
        records: Array.from({ length: below(FRAME_LIMITS.records + 1) }, () => bytes(100)),
      };
    default:
      return { type: (['have', 'request', 'cancel', 'reject'] as const)[below(4)] ?? 'have', channel, chunk };
  }
}

function fail(what: string, stream: Uint8Array): never {
  throw new Error(`${what} (seed ${seed}, stream ${streams}): ${Buffer.from(stream).toString('hex')}`);
}

/** Small seeded generator, so that a finding can be repeated. */
function mulberry32(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => below(256));
}

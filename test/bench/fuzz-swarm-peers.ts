import { Bitmap } from '@gleaner/swarm/engine';
import { FRAME_LIMITS, type Frame } from '@gleaner/swarm/frames';
import type { Random } from './fuzz-sandbox-random.js';
import { randomFrame } from './fuzz-swarm-frames.js';

export const FILES = 3;
export const CHUNKS = 20;
/** One block and a half: the last one of each chunk is short. */
export const CHUNK_BYTES = 96 * 1024;
/** The file's last chunk is short, too. */
export const SIZE_BYTES = CHUNKS * CHUNK_BYTES - 1000;

export const manifestIdOf = (file: number): string => String(file).repeat(64);
export const chunkLength = (chunk: number): number => Math.min(CHUNK_BYTES, SIZE_BYTES - chunk * CHUNK_BYTES);

/** A peer as whoever sits at the other end of its link sees it. */
export interface FuzzPeer {
  readonly name: string;
  /** By manifest, until when a ticket that it has shown lets it have the file. */
  readonly permittedUntilMs: Map<string, number>;
  /** Chunks that it was asked for and has not sent, and how much of each it has. */
  readonly owed: Map<string, { readonly channel: number; readonly chunk: number; sentBytes: number }>;
  /** Handed to its link and not yet taken. */
  unsentBytes: number;
}

/** What a peer might say now: usually a part of a chunk that it owes, or another thing that the host can make sense of. */
export function frameOf(peer: FuzzPeer, random: Random): Frame {
  const channel = random.int(FILES);
  const chunk = random.int(CHUNKS + (random.chance(3) ? 2 : 0));
  switch (random.int(14)) {
    case 0: {
      const ticket = random.pick(['valid', 'valid', 'expired', 'forged']);
      const file = random.chance(95) ? channel : random.int(FILES);
      return { type: 'open', channel, manifestId: manifestIdOf(file), ticket: Buffer.from(ticket) };
    }
    case 1:
      return {
        type: 'close',
        channel,
        reason: random.pick(['done', 'not-permitted', 'mismatch'] as const),
      };
    case 2: {
      const count = random.chance(97) ? CHUNKS : CHUNKS + 1;
      const chunks = Array.from({ length: count }, (_, index) => index);
      const bits = Bitmap.of(
        count,
        chunks.filter(() => random.chance(80)),
      ).bytes;
      return { type: 'bitmap', channel, count, bits };
    }
    case 3:
      return { type: 'interest', channel, wanted: random.chance(80) };
    case 4:
      return { type: 'slot', granted: random.chance(85) };
    case 5:
      return { type: 'have', channel, chunk };
    case 6:
    case 7:
      return { type: 'request', channel, chunk };
    case 8:
      return { type: random.pick(['cancel', 'reject'] as const), channel, chunk };
    case 9:
      return random.chance(20) ? randomFrame(random) : owedBlock(peer, random);
    default:
      return owedBlock(peer, random);
  }
}

function owedBlock(peer: FuzzPeer, random: Random): Frame {
  const [owed] = peer.owed.values();
  if (!owed) return { type: 'slot', granted: true };
  const { channel, chunk } = owed;
  const offset = random.chance(99) ? owed.sentBytes : random.int(2) * FRAME_LIMITS.blockBytes;
  const left = Math.max(1, chunkLength(chunk) - offset);
  const length = random.chance(99) ? Math.min(left, FRAME_LIMITS.blockBytes) : 1 + random.int(left + 2);
  owed.sentBytes = offset + length;
  if (owed.sentBytes >= chunkLength(chunk)) peer.owed.delete(`${channel}/${chunk}`);
  return { type: 'block', channel, chunk, offset, bytes: new Uint8Array(length) };
}

/** As peers do begin, or little would ever happen: they may have every file, have all of it, and want it. */
export function greeting(): Frame[] {
  const bits = Bitmap.of(CHUNKS, Array.from({ length: CHUNKS }).keys()).bytes;
  const files = Array.from({ length: FILES }, (_, channel): Frame[] => [
    { type: 'open', channel, manifestId: manifestIdOf(channel), ticket: Buffer.from('valid') },
    { type: 'bitmap', channel, count: CHUNKS, bits },
    { type: 'interest', channel, wanted: true },
  ]);
  return [...files.flat(), { type: 'slot', granted: true }];
}

import type { HostState } from '../wasi/host-state.js';
import type { PageRun } from './memory-pages.js';
import { sha256HexOf } from './sha256.js';

/** A unit's state between two steps: what it is bound to, what it is, and its bytes apart. */
export interface UnitSnapshot {
  readonly header: SnapshotHeader;
  /** Views into the running unit, valid until its next step: memory runs first, then the host's segments. */
  readonly segments: readonly Uint8Array[];
}

export interface SnapshotHeader {
  readonly runtimeVersion: string;
  readonly moduleSha256: string;
  /** See {@link unitKeyOf}. */
  readonly unitKey: string;
  readonly cyclesLeft: string;
  /** Values of the app's mutable globals, as text that keeps every bit. */
  readonly globals: readonly string[];
  readonly memoryBytes: number;
  readonly memoryRuns: readonly PageRun[];
  readonly host: HostState;
}

/** How the payload stands in an encoded snapshot. */
export interface PayloadInfo {
  readonly encoding: 'raw' | 'zstd';
  readonly crc32: number | null;
}

const MAGIC = new TextEncoder().encode('GLNSNAP2');
const LENGTH_BYTES = 4;
/** The header's SHA-256 in hex: one digit of a count or a global would be another result. */
const DIGEST_BYTES = 64;
const HEADER_START = MAGIC.length + LENGTH_BYTES + DIGEST_BYTES;
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

/**
 * The first bytes of an encoded snapshot; its payload follows.
 *
 * @throws RangeError where the state is in so many pieces that no snapshot of it would be read again
 */
export function encodeHeader(header: SnapshotHeader, payload: PayloadInfo): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify({ header, payload }));
  if (json.length > MAX_HEADER_BYTES) {
    throw new RangeError(
      `the unit's state is in too many pieces to be kept: ${json.length} bytes to list them`,
    );
  }
  const bytes = new Uint8Array(HEADER_START + json.length);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(MAGIC.length, json.length, true);
  new TextEncoder().encodeInto(sha256HexOf(json), bytes.subarray(MAGIC.length + LENGTH_BYTES));
  bytes.set(json, HEADER_START);
  return bytes;
}

/**
 * Splits an encoded snapshot. It is this host's own file, so only damage is looked for, not malice.
 *
 * @throws TypeError where it is none
 */
export function decodeHeader(bytes: Uint8Array): {
  header: SnapshotHeader;
  payload: PayloadInfo;
  payloadStart: number;
} {
  if (bytes.length < HEADER_START || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new TypeError('not a snapshot');
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
  const payloadStart = HEADER_START + length;
  if (length > MAX_HEADER_BYTES || payloadStart > bytes.length)
    throw new TypeError('the snapshot is cut off');
  const json = bytes.subarray(HEADER_START, payloadStart);
  const decoder = new TextDecoder();
  if (sha256HexOf(json) !== decoder.decode(bytes.subarray(MAGIC.length + LENGTH_BYTES, HEADER_START)))
    throw new TypeError('the snapshot is damaged');
  // Written by encodeHeader of the same runtime version, which the caller compares.
  const { header, payload } = JSON.parse(decoder.decode(json)) as {
    header: SnapshotHeader;
    payload: PayloadInfo;
  };
  return { header, payload, payloadStart };
}

/** All in one piece without compression, for where there is no file to stream it to. */
export function encodeSnapshot({ header, segments }: UnitSnapshot): Uint8Array {
  const first = encodeHeader(header, { encoding: 'raw', crc32: null });
  const size = segments.reduce((sum, segment) => sum + segment.length, first.length);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of [first, ...segments]) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Gives the segments of a payload one after the other. */
export function segmentReader(payload: Uint8Array): (bytes: number) => Uint8Array {
  let at = 0;
  return (bytes) => {
    if (at + bytes > payload.length) throw new TypeError('the snapshot is cut off');
    at += bytes;
    return payload.subarray(at - bytes, at);
  };
}

import type { Random } from './fuzz-sandbox-random.js';

/** Bytes that mean much in the binary format: opcodes of control flow, prefixes, types, ends of LEB128 ranges. */
const TELLING_BYTES = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0e, 0x10, 0x11, 0x40, 0x60, 0x6f, 0x70, 0x7b, 0x7c, 0x7f,
  0x80, 0xfc, 0xfd, 0xfe, 0xff,
];
const MOST_CHANGES = 8;

/** A module with a few random changes: bytes replaced, removed, repeated, moved, or cut off. */
export function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes = original.slice();
  for (let changes = 1 + random.int(MOST_CHANGES); changes > 0; changes--) bytes = change(bytes, random);
  return bytes;
}

function change(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const at = random.int(bytes.length);
  const length = 1 + random.int(8);
  switch (random.int(7)) {
    case 0:
      bytes[at] = random.int(256);
      return bytes;
    case 1:
      bytes[at] = random.pick(TELLING_BYTES);
      return bytes;
    case 2:
      return splice(bytes, at, 0, Uint8Array.of(random.pick(TELLING_BYTES)));
    case 3:
      return splice(bytes, at, length, new Uint8Array(0));
    case 4:
      return splice(bytes, at, 0, bytes.slice(at, at + length));
    case 5: {
      const from = random.int(bytes.length);
      return splice(bytes, at, length, bytes.slice(from, from + length));
    }
    default:
      return random.chance(20) && at > 8 ? bytes.slice(0, at) : bytes;
  }
}

function splice(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array<ArrayBuffer> {
  const behind = bytes.subarray(at + removed);
  const result = new Uint8Array(at + added.length + behind.length);
  result.set(bytes.subarray(0, at));
  result.set(added, at);
  result.set(behind, at + added.length);
  return result;
}

import { admitModule } from '@gleaner/sandbox/admission';

const TARGET_BYTES = 5_000_000;
const CODE_SECTION = 10;
const FUNCTION_SECTION = 3;
const ROUNDS = 3;

/** Times the admission of a valid module of 5 MB: the functions of `bytes` repeated until they fill it. */
export function measureAdmission(bytes: Uint8Array): { readonly admit5MBMs: number } {
  const large = enlarge(bytes);
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    const admission = admitModule(large);
    best = Math.min(best, performance.now() - begin);
    if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  }
  return { admit5MBMs: best };
}

interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

function enlarge(bytes: Uint8Array): Uint8Array {
  const sections = readSections(bytes);
  const times = Math.ceil(TARGET_BYTES / bytes.length);
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  for (const { id, content } of sections) {
    const enlarged = id === CODE_SECTION || id === FUNCTION_SECTION ? repeat(content, times) : content;
    parts.push(Uint8Array.of(id, ...leb(enlarged.length)), enlarged);
  }
  return concat(parts);
}

/** Repeats the items of a vector. */
function repeat(content: Uint8Array, times: number): Uint8Array {
  const [count, at] = readLeb(content, 0);
  const items = content.subarray(at);
  return concat([Uint8Array.from(leb(count * times)), ...Array.from({ length: times }, () => items)]);
}

function readSections(bytes: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let at = 8; at < bytes.length;) {
    const [size, start] = readLeb(bytes, at + 1);
    sections.push({ id: bytes[at] ?? 0, content: bytes.subarray(start, start + size) });
    at = start + size;
  }
  return sections;
}

function readLeb(bytes: Uint8Array, start: number): [value: number, end: number] {
  let value = 0;
  for (let at = start, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

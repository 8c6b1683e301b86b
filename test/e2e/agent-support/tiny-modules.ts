import { createHash } from 'node:crypto';
import { admitModule } from '@gleaner/sandbox/admission';

export interface TinyModule {
  /** As a scientist publishes it. */
  readonly original: Uint8Array;
  /** Rewritten, as an agent fetches it. */
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** Whether it computes in steps. */
  readonly stepping?: boolean;
}

/** Writes a text (at most 16,000 bytes) to stdout so many times, and ends. */
export function helloModule(text: string, times = 1): TinyModule {
  const message = Buffer.from(text);
  const iovec = Buffer.alloc(16);
  iovec.writeUInt32LE(16, 0);
  iovec.writeUInt32LE(message.length, 4);
  // i32.const 1, i32.const 0, i32.const 1, i32.const 8, call fd_write, drop
  const code = [0x41, 1, 0x41, 0, 0x41, 1, 0x41, 8, 0x10, 0, 0x1a];
  const repeated = Array.from({ length: times }, () => code).flat();
  return admitted(assemble(repeated, Buffer.concat([iovec, message])));
}

/** Computes until its cycles are used up. */
export function endlessModule(): TinyModule {
  // loop, br 0, end
  return admitted(assemble([0x03, 0x40, 0x0c, 0, 0x0b], Buffer.alloc(1)));
}

function admitted(original: Uint8Array): TinyModule {
  const admission = admitModule(original);
  if (!admission.admitted) throw new Error(`not admitted: ${JSON.stringify(admission.errors)}`);
  const bytes = admission.module;
  return { original, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** A command with one page of memory that imports `fd_write` as function 0. */
function assemble(code: readonly number[], data: Buffer): Uint8Array {
  return Buffer.concat([
    Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(1, [2, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 0]),
    section(2, [1, ...name('wasi_snapshot_preview1'), ...name('fd_write'), 0, 0]),
    section(3, [1, 1]),
    section(5, [1, 0, 1]),
    section(7, [2, ...name('memory'), 2, 0, ...name('_start'), 0, 1]),
    section(10, [1, ...sized([0, ...code, 0x0b])]),
    section(11, [1, 0, 0x41, 0, 0x0b, ...sized([...data])]),
  ]);
}

function section(id: number, content: readonly number[]): Buffer {
  return Buffer.from([id, ...sized(content)]);
}

function sized(content: readonly number[]): number[] {
  if (content.length > 0x3fff) throw new RangeError('too long for two bytes of LEB128');
  return [(content.length & 0x7f) | 0x80, content.length >> 7, ...content];
}

function name(text: string): number[] {
  return sized([...Buffer.from(text)]);
}

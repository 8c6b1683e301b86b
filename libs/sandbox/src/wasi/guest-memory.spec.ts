import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aHost } from '../testing/host-app.js';
import { GuestMemory } from './guest-memory.js';
import { ERRNO } from './preview1.js';

const PAGE_BYTES = 64 * 1024;
const PAGES_PER_MIB = 16;

/** What an engine says of the whole text at once, null where it is not UTF-8. */
function whole(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

describe('GuestMemory', () => {
  it('tells the beginning of a long text, unless something in it is not UTF-8', () => {
    const memory = new WebAssembly.Memory({ initial: 3 });
    const guest = new GuestMemory();
    guest.attach(memory);
    const characters = fc.constantFrom('é', '€', '😀', '\ufeff', '\0', 'a');
    const mistakes = fc.option(fc.integer({ min: 0x80, max: 0xff }), { freq: 2 });
    fc.assert(
      fc.property(
        characters,
        fc.nat(3),
        fc.nat(2 * PAGE_BYTES),
        mistakes,
        (character, from, length, mistake) => {
          const bytes = new Uint8Array(memory.buffer);
          bytes.fill(0x61);
          new TextEncoder().encodeInto(character.repeat(PAGE_BYTES), bytes.subarray(from));
          if (mistake !== null) bytes[PAGE_BYTES] = mistake;
          const text = guest.text(0, length);
          const expected = whole(bytes.subarray(0, length));
          expect(text === null).toBe(expected === null);
          expect(expected?.startsWith(text ?? '') ?? true).toBe(true);
          expect(text?.length ?? 0).toBeGreaterThanOrEqual(Math.min(expected?.length ?? 0, PAGE_BYTES / 4));
        },
      ),
    );
  });

  it('lets a path be too long, however long it is', () => {
    const { host, call } = aHost();
    const memory = new WebAssembly.Memory({ initial: 513 * PAGES_PER_MIB });
    host.context.memory.attach(memory);
    for (const mib of [1, 513])
      expect(call('path_filestat_get', 3, 0, 0, mib * 2 ** 20, 0)).toBe(ERRNO.nametoolong);
  });
});

const NOTHING = new Uint8Array(0);
const VIEW_OF_NOTHING = new DataView(NOTHING.buffer);
const UTF8 = ['utf-8', { fatal: true, ignoreBOM: true }] as const;
const utf8 = new TextDecoder(...UTF8);
/** Longer than any text that a host call takes. */
const LONGEST_TEXT_BYTES = 64 * 1024;

/** The app's linear memory as host calls see it. Addresses and lengths are unsigned 32-bit byte counts. */
export class GuestMemory {
  #memory: WebAssembly.Memory | null = null;
  #bytes: Uint8Array = NOTHING;
  #view = VIEW_OF_NOTHING;

  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
    this.#bytes = NOTHING;
  }

  /** From now on it holds nothing. */
  detach(): void {
    this.#memory = null;
    this.#bytes = NOTHING;
  }

  /** A view of the whole memory, valid until the app runs again. */
  get bytes(): Uint8Array {
    // Growing detaches the old buffer, whose views then have length 0.
    if (this.#bytes.length === 0 && this.#memory !== null) {
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#view = new DataView(this.#memory.buffer);
    }
    return this.#bytes;
  }

  get view(): DataView {
    return this.bytes.length === 0 ? VIEW_OF_NOTHING : this.#view;
  }

  holds(address: number, length: number): boolean {
    return address + length <= this.bytes.length;
  }

  slice(address: number, length: number): Uint8Array {
    return this.bytes.subarray(address, address + length);
  }

  /**
   * The text at an address that was checked by {@link holds}; null where it is not UTF-8. Of one of more than 64 KiB, which
   * is too long for every call, only the beginning.
   */
  text(address: number, length: number): string | null {
    const bytes = this.slice(address, length);
    try {
      return length <= LONGEST_TEXT_BYTES ? utf8.decode(bytes) : beginningOf(bytes);
    } catch {
      return null;
    }
  }

  /** Writes `value` where the four bytes are inside the memory; false where they are not. */
  setU32(address: number, value: number): boolean {
    if (!this.holds(address, 4)) return false;
    this.view.setUint32(address, value, true);
    return true;
  }

  setU64(address: number, value: bigint): boolean {
    if (!this.holds(address, 8)) return false;
    this.view.setBigUint64(address, value, true);
    return true;
  }
}

/**
 * Engines differ in how long a text may be, and in what they say of a longer one: 512 MiB are an error in Node and nothing
 * in Chromium. So it is checked in pieces.
 */
function beginningOf(bytes: Uint8Array): string {
  const decoder = new TextDecoder(...UTF8);
  let beginning = '';
  for (let at = 0; at < bytes.length; at += LONGEST_TEXT_BYTES) {
    const piece = decoder.decode(bytes.subarray(at, at + LONGEST_TEXT_BYTES), { stream: true });
    if (at === 0) beginning = piece;
  }
  decoder.decode();
  return beginning;
}

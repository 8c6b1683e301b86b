const NOTHING = new Uint8Array(0);
const VIEW_OF_NOTHING = new DataView(NOTHING.buffer);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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

  /** The text at an address that was checked by {@link holds}; null where it is not UTF-8. */
  text(address: number, length: number): string | null {
    try {
      return utf8.decode(this.slice(address, length));
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

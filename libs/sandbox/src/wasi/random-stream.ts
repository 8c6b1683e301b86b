const BLOCK_BYTES = 64;
/** "expand 32-byte k" */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/**
 * The unit's randomness: the ChaCha20 key stream (RFC 8439 with a 64-bit block counter and zero nonce) of a 32-byte
 * seed. Its whole state is the position in bytes, which makes it cheap to snapshot.
 */
export class RandomStream {
  #position = 0;
  readonly #seed: string;
  // Most units draw nothing: the cipher's state is made when it is first needed.
  #initial: Uint32Array | null = null;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #blockIndex = -1;

  /** @param seed 32 bytes as lower-case hex */
  constructor(seed: string) {
    if (!/^[0-9a-f]{64}$/.test(seed)) throw new TypeError('a seed is 64 lower-case hexadecimal digits');
    this.#seed = seed;
  }

  /** Bytes drawn so far. */
  get position(): number {
    return this.#position;
  }

  set position(bytes: number) {
    this.#position = bytes;
  }

  drawInto(target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      const index = Math.floor(this.#position / BLOCK_BYTES);
      if (index !== this.#blockIndex) this.#compute(index);
      const from = this.#position % BLOCK_BYTES;
      const part = this.#block.subarray(from, Math.min(BLOCK_BYTES, from + target.length - done));
      target.set(part, done);
      done += part.length;
      this.#position += part.length;
    }
  }

  #compute(index: number): void {
    const initial = (this.#initial ??= initialState(this.#seed));
    initial[12] = index >>> 0;
    initial[13] = Math.floor(index / 2 ** 32);
    const x = Uint32Array.from(initial);
    for (let round = 0; round < 10; round++) {
      quarter(x, 0, 4, 8, 12);
      quarter(x, 1, 5, 9, 13);
      quarter(x, 2, 6, 10, 14);
      quarter(x, 3, 7, 11, 15);
      quarter(x, 0, 5, 10, 15);
      quarter(x, 1, 6, 11, 12);
      quarter(x, 2, 7, 8, 13);
      quarter(x, 3, 4, 9, 14);
    }
    const out = new DataView(this.#block.buffer);
    for (let i = 0; i < 16; i++) out.setUint32(4 * i, (x[i] ?? 0) + (initial[i] ?? 0), true);
    this.#blockIndex = index;
  }
}

function initialState(seed: string): Uint32Array {
  const state = new Uint32Array(16);
  state.set(SIGMA);
  for (let i = 0; i < 32; i++) {
    const byte = Number.parseInt(seed.slice(2 * i, 2 * i + 2), 16);
    state[4 + (i >> 2)]! |= byte << (8 * (i & 3));
  }
  return state;
}

function quarter(x: Uint32Array, a: number, b: number, c: number, d: number): void {
  let [xa, xb, xc, xd] = [x[a] ?? 0, x[b] ?? 0, x[c] ?? 0, x[d] ?? 0];
  xa = (xa + xb) | 0;
  xd = rotate(xd ^ xa, 16);
  xc = (xc + xd) | 0;
  xb = rotate(xb ^ xc, 12);
  xa = (xa + xb) | 0;
  xd = rotate(xd ^ xa, 8);
  xc = (xc + xd) | 0;
  xb = rotate(xb ^ xc, 7);
  x[a] = xa;
  x[b] = xb;
  x[c] = xc;
  x[d] = xd;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Bits of a limb: products of two limbs leave room in 64 bits for the sum of many. */
const LIMB_BITS: i32 = 28;
const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;
/** Rows of products (below 2^57 each) that a 64-bit column takes before it must be carried. */
const ROWS_BETWEEN_CARRIES: i32 = 64;
/** Limbs read beyond the last one by whole vectors; they are zero. */
const PADDING: i32 = 4;

/** A number mod 2^p - 1 in limbs of 28 bits, least significant first. */
export class Residue {
  private exponent: i32 = 0;
  private limbs: i32 = 0;
  /** u32 each. */
  private readonly value: usize;
  /** Sums of products, u64 each. */
  private readonly columns: usize;

  /** Room for numbers mod 2^p - 1 with p up to `largestExponent`. */
  constructor(private readonly largestExponent: i32) {
    const limbs = limbsOf(largestExponent) + PADDING;
    this.value = heap.alloc(limbs * 4);
    this.columns = heap.alloc(2 * limbs * 8);
  }

  set(exponent: i32, small: u32): void {
    this.exponent = exponent;
    this.limbs = limbsOf(exponent);
    memory.fill(this.value, 0, (this.limbs + PADDING) * 4);
    memory.fill(this.columns, 0, 2 * (this.limbs + PADDING) * 8);
    store<u64>(this.columns, small);
    this.reduce();
  }

  get isZero(): bool {
    for (let i = 0; i < this.limbs; i++) if (load<u32>(this.value + (i << 2)) != 0) return false;
    return true;
  }

  get low64(): u64 {
    let low: u64 = 0;
    for (let i = 0; i < min(this.limbs, 3); i++) low |= <u64>load<u32>(this.value + (i << 2)) << (i * LIMB_BITS);
    return low;
  }

  get productsPerSquare(): i64 {
    return (<i64>this.limbs * (this.limbs + 1)) / 2;
  }

  /** Replaces s by s² - 2. */
  squareMinus2(): void {
    this.square();
    this.reduce();
    this.subtract2();
  }

  /** Fills the columns with the square: each product of two different limbs once, doubled; two columns at a time. */
  private square(): void {
    const limbs = this.limbs;
    memory.fill(this.columns, 0, 2 * (limbs + PADDING) * 8);
    const end = this.value + (limbs << 2);
    for (let row = 0; row < limbs; row++) {
      const limb = load<u32>(this.value + (row << 2));
      const diagonal = this.columns + (row << 4);
      store<u64>(diagonal, load<u64>(diagonal) + <u64>limb * limb);
      const doubled = i32x4.splat(limb << 1);
      let column = diagonal + 8;
      for (let other = this.value + (row << 2) + 4; other < end; other += 16) {
        const others = v128.load(other);
        v128.store(column, i64x2.add(v128.load(column), i64x2.extmul_low_i32x4_u(doubled, others)));
        v128.store(column, i64x2.add(v128.load(column, 16), i64x2.extmul_high_i32x4_u(doubled, others)), 16);
        column += 32;
      }
      if (row % ROWS_BETWEEN_CARRIES == ROWS_BETWEEN_CARRIES - 1) this.carryColumns();
    }
  }

  private carryColumns(): void {
    let carry: u64 = 0;
    const end = this.columns + (this.limbs << 4);
    for (let column = this.columns; column < end; column += 8) {
      carry += load<u64>(column);
      store<u64>(column, carry & LIMB_MASK);
      carry >>= LIMB_BITS;
    }
    store<u64>(end, load<u64>(end) + carry);
  }

  /** Takes the columns mod 2^p - 1 into the value: 2^p is 1, so the bits from p on are added to those below. */
  private reduce(): void {
    this.carryColumns();
    const shift = this.exponent % LIMB_BITS;
    const whole = this.exponent / LIMB_BITS;
    let carry: u64 = 0;
    for (let i = 0; i < this.limbs; i++) {
      const low = load<u64>(this.columns + (i << 3));
      const high = this.columns + ((i + whole) << 3);
      const upper = (load<u64>(high) >> shift) | ((load<u64>(high, 8) << (LIMB_BITS - shift)) & LIMB_MASK);
      carry += (i == this.limbs - 1 ? low & this.topMask() : low) + upper;
      store<u32>(this.value + (i << 2), <u32>(carry & LIMB_MASK));
      carry >>= LIMB_BITS;
    }
    this.foldTop(carry);
    if (this.isModulus()) memory.fill(this.value, 0, this.limbs << 2);
  }

  /** Adds what lies at or above bit p, `carry` of it beyond the last limb, to the low end; at most twice. */
  private foldTop(carry: u64): void {
    const topBits = this.exponent - (this.limbs - 1) * LIMB_BITS;
    const top = this.value + ((this.limbs - 1) << 2);
    let excess = (carry << (LIMB_BITS - topBits)) | (<u64>load<u32>(top) >> topBits);
    while (excess != 0) {
      store<u32>(top, load<u32>(top) & <u32>this.topMask());
      for (let limb = this.value; limb <= top && excess != 0; limb += 4) {
        excess += load<u32>(limb);
        store<u32>(limb, <u32>(excess & LIMB_MASK));
        excess >>= LIMB_BITS;
      }
      excess = (excess << (LIMB_BITS - topBits)) | (<u64>load<u32>(top) >> topBits);
    }
  }

  private subtract2(): void {
    let borrow: u32 = 2;
    for (let limb = this.value; borrow != 0 && limb < this.value + (this.limbs << 2); limb += 4) {
      const current = load<u32>(limb);
      store<u32>(limb, (current - borrow) & <u32>LIMB_MASK);
      borrow = u32(current < borrow);
    }
    if (borrow == 0) return;
    // Below zero, 2^(28 · limbs) was borrowed where 2^p - 1 should have been.
    const top = this.value + ((this.limbs - 1) << 2);
    store<u32>(top, load<u32>(top) & <u32>this.topMask());
    const low = load<u32>(this.value);
    store<u32>(this.value, low - 1);
  }

  private isModulus(): bool {
    for (let i = 0; i < this.limbs - 1; i++) if (load<u32>(this.value + (i << 2)) != <u32>LIMB_MASK) return false;
    return load<u32>(this.value + ((this.limbs - 1) << 2)) == <u32>this.topMask();
  }

  /** The bits below p in the last limb. */
  @inline
  private topMask(): u64 {
    return (<u64>1 << (this.exponent - (this.limbs - 1) * LIMB_BITS)) - 1;
  }
}

function limbsOf(exponent: i32): i32 {
  return (exponent + LIMB_BITS - 1) / LIMB_BITS;
}

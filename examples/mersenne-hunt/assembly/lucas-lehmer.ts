import { Residue } from "./residue";

/**
 * The Lucas-Lehmer test of M = 2^p - 1: s₀ = 4, s ← s² - 2; M is prime exactly when s is 0 mod M after p - 2 iterations.
 * Source: D. H. Lehmer, "An extended theory of Lucas' functions", Annals of Mathematics 31 (1930).
 *
 * One object tests exponent after exponent, because memory is never given back.
 */
export class LucasLehmer {
  exponent: i32 = 0;
  private iterationsLeft: i32 = 0;
  private readonly value: Residue;

  constructor(largestExponent: i32) {
    this.value = new Residue(largestExponent);
  }

  begin(exponent: i32): void {
    this.exponent = exponent;
    this.iterationsLeft = exponent - 2;
    this.value.set(exponent, 4);
  }

  /** Does up to so many iterations; returns how many. */
  advance(iterations: i32): i64 {
    const count = min(iterations, this.iterationsLeft);
    for (let i = 0; i < count; i++) this.value.squareMinus2();
    this.iterationsLeft -= count;
    return count;
  }

  get isDone(): bool {
    return this.iterationsLeft == 0;
  }

  /** The theorem is about odd exponents; M = 3 is prime by inspection. */
  get isPrime(): bool {
    return this.exponent == 2 || this.value.isZero;
  }

  /** Low 64 bits of the last s mod M. */
  get residue(): u64 {
    return this.value.low64;
  }

  get shareDone(): f64 {
    return this.exponent > 2 ? 1 - <f64>this.iterationsLeft / <f64>(this.exponent - 2) : 1;
  }

  get productsPerIteration(): i64 {
    return this.value.productsPerSquare;
  }
}

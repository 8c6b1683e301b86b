import { createFile, writeAll } from "./file";

const BUFFER_BYTES: i32 = 64 * 1024;
/** Decimals that {@link Output.fixed} can write: 10^9 still leaves room for the integer part in an f64. */
const MAX_DECIMALS: i32 = 9;

/**
 * Buffered text to stdout or to an output file. Numbers are written without building strings, so that a line costs
 * little memory and time. Nothing reaches the file before the buffer is full or {@link Output.flush} is called.
 */
export class Output {
  private buffer: usize = heap.alloc(BUFFER_BYTES);
  private used: i32 = 0;

  constructor(private fd: i32) {}

  /** An output file; `path` is `/output/NAME` of a name that the job declares. */
  static file(path: string): Output {
    return new Output(createFile(path));
  }

  /** Writes text as UTF-8. */
  text(text: string): this {
    const bytes = String.UTF8.byteLength(text);
    if (bytes > BUFFER_BYTES) {
      this.flush();
      const encoded = String.UTF8.encode(text);
      writeAll(this.fd, changetype<usize>(encoded), encoded.byteLength);
      return this;
    }
    this.reserve(bytes);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.buffer + this.used);
    this.used += bytes;
    return this;
  }

  /** Writes text and a newline. */
  line(text: string): this {
    return this.text(text).byte(0x0a);
  }

  byte(value: u8): this {
    this.reserve(1);
    store<u8>(this.buffer + this.used, value);
    this.used++;
    return this;
  }

  bytes(pointer: usize, count: i32): this {
    this.flush();
    writeAll(this.fd, pointer, count);
    return this;
  }

  /** Writes an integer in decimal. */
  integer(value: i64): this {
    if (value < 0) this.byte(0x2d);
    return this.digits(value < 0 ? 0 - <u64>value : <u64>value, 1);
  }

  /** Writes the low `digits` (1 to 16) hexadecimal digits, lower case. */
  hex(value: u64, digits: i32): this {
    for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
      const digit = <u8>((value >> shift) & 15);
      this.byte(digit < 10 ? 0x30 + digit : 0x57 + digit);
    }
    return this;
  }

  /**
   * Writes a number with exactly `decimals` (0 to 9) decimals, rounded half away from zero; |value| * 10^decimals must
   * be below 2^53. The digits are the same on every machine.
   */
  fixed(value: f64, decimals: i32): this {
    assert(decimals >= 0 && decimals <= MAX_DECIMALS, "decimals out of range");
    let scale: u64 = 1;
    for (let i = 0; i < decimals; i++) scale *= 10;
    const scaled = Math.floor(Math.abs(value) * <f64>scale + 0.5);
    assert(scaled < 9007199254740992.0, "number too large to write with these decimals");
    const units = <u64>scaled;
    if (value < 0 && units != 0) this.byte(0x2d);
    this.digits(units / scale, 1);
    return decimals == 0 ? this : this.byte(0x2e).digits(units % scale, decimals);
  }

  /** Hands everything written so far to the host. */
  flush(): void {
    if (this.used > 0) writeAll(this.fd, this.buffer, this.used);
    this.used = 0;
  }

  private digits(value: u64, minimumDigits: i32): this {
    let count = 1;
    for (let rest = value / 10; rest != 0; rest /= 10) count++;
    count = max(count, minimumDigits);
    this.reserve(count);
    let end = this.buffer + this.used + count;
    for (let i = 0; i < count; i++) {
      store<u8>(--end, <u8>(0x30 + value % 10));
      value /= 10;
    }
    this.used += count;
    return this;
  }

  private reserve(bytes: i32): void {
    if (this.used + bytes > BUFFER_BYTES) this.flush();
  }
}

export const stdout = new Output(1);
export const stderr = new Output(2);

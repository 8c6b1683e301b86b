import { fail, readInput } from "@gleaner/app-sdk/assembly";

/** Complex samples of a tape. */
export const SAMPLES: i32 = 1 << 20;
/** Two bits a sample. */
const TAPE_BYTES: i32 = SAMPLES / 4;
/** Used where the header has no `spike_thresh`. */
const DEFAULT_THRESHOLD: f64 = 22;

/** A recording and how to read it: what the header of a `.sah` file says, and its packed samples. */
export class Tape {
  constructor(
    /** Frequency of bin 0, in Hz. */
    readonly baseHz: f64,
    /** Complex samples per second. */
    readonly sampleRateHz: f64,
    /** A spike's power over its spectrum's mean power must be above this. */
    readonly threshold: f64,
    /** {@link TAPE_BYTES} bytes, four samples each. */
    private readonly packed: StaticArray<u8>,
  ) {}

  static read(inputName: string): Tape {
    const file = readInput(inputName);
    const subband = indexOf(file, "<subband_desc>", 0);
    if (subband < 0) fail("the tape has no <subband_desc>");
    const baseHz = numberIn(file, "<base>", subband);
    const sampleRateHz = numberIn(file, "<sample_rate>", subband);
    if (!(baseHz >= 0) || !(sampleRateHz > 0)) fail("<subband_desc> needs <base> and <sample_rate>");
    const threshold = numberIn(file, "<spike_thresh>", 0);
    return new Tape(baseHz, sampleRateHz, threshold > 0 ? threshold : DEFAULT_THRESHOLD, unpack(file));
  }

  /** In-phase part of a sample, -1 or +1: bit 1 of the sample's two. */
  inPhase(index: i32): f64 {
    return <f64>(<i32>(this.bits(index) & 2) - 1);
  }

  /** Quadrature part of a sample, -1 or +1: bit 0 of the sample's two. */
  quadrature(index: i32): f64 {
    return <f64>(<i32>((this.bits(index) & 1) << 1) - 1);
  }

  /** The two bits of a sample. The bytes of each pair are swapped; a byte holds its samples low bits first. */
  @inline
  private bits(index: i32): i32 {
    return <i32>unchecked(this.packed[(index >> 2) ^ 1]) >> ((index & 3) << 1);
  }
}

/** Decodes the `<data>` element: 6 bits a character, 4 characters to 3 bytes, low bits first, line ends ignored. */
function unpack(file: StaticArray<u8>): StaticArray<u8> {
  // With its attributes, because <data_desc> and <data_type> come before it.
  const tag = indexOf(file, "<data length=", 0);
  if (tag < 0) fail("the tape has no <data>");
  let position = indexOf(file, ">", tag) + 1;
  // `<` is a data character too; only the whole end tag ends the data.
  const closing = indexOf(file, "</data>", position);
  const end = closing < 0 ? file.length : closing;
  const packed = new StaticArray<u8>(TAPE_BYTES + 2);
  let group: u32 = 0;
  let bits = 0;
  let count = 0;
  for (; position < end && count < TAPE_BYTES; position++) {
    const character = unchecked(file[position]);
    if (character == 0x0a || character == 0x0d) continue;
    group |= ((<u32>character - 0x20) & 0x3f) << bits;
    bits += 6;
    if (bits < 24) continue;
    unchecked(packed[count] = <u8>group);
    unchecked(packed[count + 1] = <u8>(group >> 8));
    unchecked(packed[count + 2] = <u8>(group >> 16));
    count += 3;
    group = 0;
    bits = 0;
  }
  if (count < TAPE_BYTES) fail("the tape holds " + count.toString() + " bytes of the " + TAPE_BYTES.toString() + " needed");
  return packed;
}

/** The number after a tag, from a position on; NaN where there is none. */
function numberIn(file: StaticArray<u8>, tag: string, from: i32): f64 {
  const start = indexOf(file, tag, from);
  if (start < 0) return NaN;
  let text = "";
  for (let i = start + tag.length; i < file.length && file[i] != 0x3c && text.length < 32; i++) {
    text += String.fromCharCode(file[i]);
  }
  return F64.parseFloat(text);
}

function indexOf(file: StaticArray<u8>, text: string, from: i32): i32 {
  for (let i = from; i + text.length <= file.length; i++) {
    let matched = 0;
    while (matched < text.length && file[i + matched] == <u8>text.charCodeAt(matched)) matched++;
    if (matched == text.length) return i;
  }
  return -1;
}

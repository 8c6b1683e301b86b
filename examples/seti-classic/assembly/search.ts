import { Output } from "@gleaner/app-sdk/assembly";
import { dechirp, prepareChirp } from "./chirp";
import { prepareTransforms, readPowers, transformToPeak } from "./fft";
import { Grid, LONGEST_LOG2, SHORTEST_LOG2 } from "./grid";
import { allocateSamples, GROUP, GROUP_BYTES, IMAGINARY, SAMPLE_BYTES } from "./layout";
import { publishPicture } from "./picture";
import { smoothBaseline } from "./smooth";
import { SAMPLES, Tape } from "./tape";

const BLOCK: i32 = 1 << LONGEST_LOG2;

/** Searches a tape for spikes: bins that stand out of their power spectrum after the drift has been taken out. */
export class Search {
  private readonly samples: usize = allocateSamples(SAMPLES);
  private readonly dechirped: usize = allocateSamples(BLOCK);
  private readonly transformed: usize = allocateSamples(BLOCK);
  private readonly powers: usize = heap.alloc(BLOCK * 4);
  /** Sums of |x|² over every 2^log2 samples, by log2: the mean power of their spectra (Parseval), at any chirp. */
  private readonly energies: StaticArray<usize> = new StaticArray<usize>(LONGEST_LOG2 + 1);

  constructor(private readonly tape: Tape, private readonly grid: Grid, private readonly output: Output) {
    smoothBaseline(tape, this.samples);
    prepareChirp();
    prepareTransforms();
    this.sumEnergies();
  }

  /** Writes one line for every spike at a chirp index; returns the number of lengths searched. */
  searchChirp(chirpIndex: i32): i32 {
    const passes = this.grid.passes(chirpIndex);
    if (passes == 0) return 0;
    for (let first = 0; first < SAMPLES; first += BLOCK) {
      dechirp(this.samples, this.dechirped, first, BLOCK, chirpIndex);
      let remaining = passes;
      for (let log2 = SHORTEST_LOG2; log2 <= LONGEST_LOG2; log2++) {
        if (!this.grid.isSearched(chirpIndex, log2)) continue;
        remaining--;
        // The last length may use up the block; the others leave it for the next.
        this.searchBlock(chirpIndex, first, log2, remaining == 0 ? this.dechirped : this.transformed);
      }
    }
    return passes;
  }

  /** Shows the longest spectrum of one block at a chirp index. */
  showPicture(chirpIndex: i32, block: i32): void {
    const first = (block * BLOCK) % SAMPLES;
    dechirp(this.samples, this.dechirped, first, BLOCK, chirpIndex);
    transformToPeak(this.dechirped, this.dechirped, LONGEST_LOG2);
    readPowers(this.dechirped, LONGEST_LOG2, this.powers);
    publishPicture(this.powers, BLOCK, this.tape.threshold * this.meanPower(first, LONGEST_LOG2));
  }

  /** Mean power of the spectrum of 2^log2 samples from `start` on. */
  private meanPower(start: i32, log2: i32): f64 {
    return load<f64>(this.energies[log2] + ((start >> log2) << 3));
  }

  private searchBlock(chirpIndex: i32, first: i32, log2: i32, workspace: usize): void {
    const lengthBytes = SAMPLE_BYTES << log2;
    for (let index = 0; index < BLOCK >> log2; index++) {
      const target = workspace + <usize>index * lengthBytes;
      const peak = transformToPeak(this.dechirped + <usize>index * lengthBytes, target, log2);
      const start = first + (index << log2);
      const mean = this.meanPower(start, log2);
      if (<f64>peak > this.tape.threshold * mean) this.report(chirpIndex, start, log2, target, mean);
    }
  }

  private report(chirpIndex: i32, start: i32, log2: i32, transformed: usize, mean: f64): void {
    readPowers(transformed, log2, this.powers);
    const length = 1 << log2;
    let best = 1;
    for (let bin = 2; bin < length; bin++) {
      if (load<f32>(this.powers + (bin << 2)) > load<f32>(this.powers + (best << 2))) best = bin;
    }
    const power = <f64>load<f32>(this.powers + (best << 2)) / mean;
    if (!(power > this.tape.threshold)) return;

    const rate = this.tape.sampleRateHz;
    const chirp = <f64>chirpIndex * this.grid.unitHzPerS;
    // The top sixteenth of the bins lies below the base frequency.
    const signedBin = best >= length - (length >> 4) ? best - length : best;
    const freq = this.tape.baseHz + <f64>signedBin * rate / <f64>length;
    const seconds = (<f64>start + <f64>length / 2) / rate;
    this.output
      .text('{"type":"spike","power":').fixed(power, 6)
      .text(',"fft_len":').integer(length)
      .text(',"chirp_ix":').integer(chirpIndex)
      .text(',"chirp":').fixed(chirp, 6)
      .text(',"bin":').integer(best)
      .text(',"freq":').fixed(freq, 4)
      .text(',"sec":').fixed(seconds, 6)
      .text(',"detection_freq":').fixed(freq + chirp * seconds, 4)
      .text("}\n");
  }

  private sumEnergies(): void {
    for (let log2 = SHORTEST_LOG2; log2 <= LONGEST_LOG2; log2++) {
      const sums = heap.alloc((SAMPLES >> log2) << 3);
      this.energies[log2] = sums;
      for (let i = 0; i < SAMPLES >> log2; i++) {
        let sum: f64 = 0;
        if (log2 == SHORTEST_LOG2) {
          for (let j = 0; j < 1 << log2; j++) {
            const index = (i << log2) + j;
            const address = this.samples + (index / GROUP) * GROUP_BYTES + ((index % GROUP) << 2);
            const re = <f64>load<f32>(address);
            const im = <f64>load<f32>(address, IMAGINARY);
            sum += re * re + im * im;
          }
        } else {
          const halves = this.energies[log2 - 1] + (i << 4);
          sum = load<f64>(halves) + load<f64>(halves, 8);
        }
        store<f64>(sums + (i << 3), sum);
      }
    }
  }
}

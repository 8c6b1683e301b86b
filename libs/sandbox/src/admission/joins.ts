/** The end of a list of sources, and the whole of an empty one. */
export const NO_SOURCES = -1;

/** The second sweep moves on what the first one moved to the end of a loop. */
const SWEEPS = 2;

/**
 * Segments of a body that are entered from the ends of other segments only, their sources, each of which goes there and
 * nowhere else. Lists of sources are linked through arrays that serve one body after the other: a body may have a join
 * in every three bytes, and as many objects would cost more than everything else.
 */
export class Joins {
  /** The list of each segment's sources. */
  #sources = new Int32Array(1024);
  /** Entries of lists: a source, and the rest of its list. */
  #source = new Int32Array(1024);
  #rest = new Int32Array(1024);
  #entries = 0;
  #segments = 0;
  #isEmpty = true;

  /** Begins with another body, whose segments and sources are at most as many as its instructions. */
  reset(instructions: number): void {
    if (this.#sources.length < instructions) {
      this.#sources = new Int32Array(instructions * 2);
      this.#source = new Int32Array(instructions * 2);
      this.#rest = new Int32Array(instructions * 2);
    }
    this.#sources.fill(NO_SOURCES, 0, instructions);
    this.#entries = 0;
    this.#segments = instructions;
    this.#isEmpty = true;
  }

  /** Returns the list of a source and those of another list. */
  list(source: number, rest: number): number {
    const entry = this.#entries++;
    this.#source[entry] = source;
    this.#rest[entry] = rest;
    return entry;
  }

  /** Notes the sources of a segment, which has no others. */
  add(segment: number, sources: number): void {
    this.#sources[segment] = sources;
    this.#isEmpty = false;
  }

  /**
   * Moves the charge of each join into its sources, which charge anyway: every path pays the same in fewer steps. A
   * loop that tests at its head and jumps back unconditionally then charges once a round; an interpreter charges once
   * an instruction. A source that is the join itself would pay for a round that does not come.
   */
  chargeAhead(charge: Float64Array): void {
    if (this.#isEmpty) return;
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      for (let segment = this.#segments - 1; segment >= 0; segment--) {
        const sources = this.#sources[segment]!;
        const cycles = charge[segment]!;
        if (sources === NO_SOURCES || cycles === 0 || this.#has(sources, segment)) continue;
        for (let entry = sources; entry !== NO_SOURCES; entry = this.#rest[entry]!)
          charge[this.#source[entry]!]! += cycles;
        charge[segment] = 0;
      }
    }
  }

  #has(sources: number, segment: number): boolean {
    for (let entry = sources; entry !== NO_SOURCES; entry = this.#rest[entry]!)
      if (this.#source[entry] === segment) return true;
    return false;
  }
}

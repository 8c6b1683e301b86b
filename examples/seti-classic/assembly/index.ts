import { args, done, fail, MORE, progress, stdout } from "@gleaner/app-sdk/assembly";
import { Grid, LAST_CHIRP_INDEX } from "./grid";
import { Search } from "./search";
import { Tape } from "./tape";

/** Transforms of the whole tape in one step: 50 to 200 ms of work. */
const PASSES_PER_STEP: i32 = 16;

const INPUT_DIRECTORY = "/input/";

let search: Search | null = null;
let from: i32 = 0;
let to: i32 = 0;
let next: i32 = 0;
let step: i32 = 0;

/** Searches the chirp indices `FROM <= k < TO`; arguments: `/input/TAPE FROM TO`. */
export function gleaner_step(): i32 {
  const current = search === null ? start() : search!;
  search = current;
  let passes = 0;
  while (next < to && passes < PASSES_PER_STEP) passes += current.searchChirp(next++);
  if (passes > 0) current.showPicture(next - 1, step++);
  progress(to > from ? ((next - from) * 1000) / (to - from) : 1000);
  return next < to ? MORE : done();
}

function start(): Search {
  const given = args();
  if (given.length != 3 || !given[0].startsWith(INPUT_DIRECTORY)) fail("usage: seti-classic /input/TAPE FROM TO");
  from = <i32>I32.parseInt(given[1]);
  to = <i32>I32.parseInt(given[2]);
  if (from < -LAST_CHIRP_INDEX || to > LAST_CHIRP_INDEX + 1 || from > to) {
    fail("chirp indices must lie in " + (-LAST_CHIRP_INDEX).toString() + ":" + (LAST_CHIRP_INDEX + 1).toString());
  }
  next = from;
  const tape = Tape.read(given[0].substring(INPUT_DIRECTORY.length));
  return new Search(tape, new Grid(tape.sampleRateHz), stdout);
}

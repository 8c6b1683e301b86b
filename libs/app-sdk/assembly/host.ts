import { stdout } from "./output";
import { host_frame, host_progress } from "./wasi";

/** Tells how much of the unit is done, in thousandths (0 to 1000). Never part of the result. */
export function progress(permille: i32): void {
  host_progress(permille);
}

/** Shows a picture in the live view: `bytes` intensities (0 to 255) of one row. Never part of the result. */
export function frame(pointer: usize, bytes: i32): void {
  host_frame(pointer, bytes);
}

/** What `gleaner_step` returns while there is more to do. */
export const MORE: i32 = 1;

/** What `gleaner_step` returns at the end: writes out what stdout still holds. */
export function done(): i32 {
  stdout.flush();
  return 0;
}

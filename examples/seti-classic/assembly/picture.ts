import { frame } from "@gleaner/app-sdk/assembly";

/** Columns of one row of the waterfall, from the tape's lowest frequency to its highest. */
export const PICTURE_COLUMNS: i32 = 512;

const row: usize = heap.alloc(PICTURE_COLUMNS);

/**
 * Publishes a power spectrum as one row of the waterfall: each column is the strongest of its bins, as a share of the
 * power that counts as a spike (255: at least that).
 */
export function publishPicture(powers: usize, length: i32, spikePower: f64): void {
  const binsPerColumn = length / PICTURE_COLUMNS;
  // The top sixteenth of the bins lies below the base frequency, so that is where the row begins.
  const firstBin = length - (length >> 4);
  for (let column = 0; column < PICTURE_COLUMNS; column++) {
    let strongest: f32 = 0;
    for (let i = 0; i < binsPerColumn; i++) {
      const bin = (firstBin + column * binsPerColumn + i) & (length - 1);
      strongest = max(strongest, load<f32>(powers + (bin << 2)));
    }
    store<u8>(row + column, <u8>min<f64>(255, Math.floor((255 * <f64>strongest) / spikePower)));
  }
  frame(row, PICTURE_COLUMNS);
}

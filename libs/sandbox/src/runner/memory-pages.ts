const PAGE_BYTES = 64 * 1024;

/** A run of pages: the first one's number and how many. */
export type PageRun = readonly [first: number, count: number];

/** The runs of pages that hold anything but zeros. */
export function nonZeroRuns(memory: Uint8Array): PageRun[] {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength / 4);
  const wordsPerPage = PAGE_BYTES / 4;
  const runs: [number, number][] = [];
  for (let page = 0; page * PAGE_BYTES < memory.length; page++) {
    if (isZero(words, page * wordsPerPage, wordsPerPage)) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === page) last[1]++;
    else runs.push([page, 1]);
  }
  return runs;
}

/** The bytes of a run, viewed. */
export function bytesOfRun(memory: Uint8Array, [first, count]: PageRun): Uint8Array {
  return memory.subarray(first * PAGE_BYTES, (first + count) * PAGE_BYTES);
}

function isZero(words: Uint32Array, start: number, count: number): boolean {
  for (let i = start; i < start + count; i++) if (words[i] !== 0) return false;
  return true;
}

/** One slot of each cache line is read. */
const LINE_WORDS = 16;
const READS = 4_000_000;

/**
 * What one of many reads at random places of so much memory takes, in nanoseconds of processor time. Rows and objects are found by such
 * reads, and neighbours on a shared machine may leave this one more or less of the processor's caches: figures of two
 * runs can be compared where these are alike.
 *
 * @param bytes a power of two
 */
export function randomReadNs(bytes: number): number {
  const words = new Uint32Array(bytes / Uint32Array.BYTES_PER_ELEMENT);
  const lines = words.length / LINE_WORDS;
  // A linear congruence modulo a power of two goes through all lines, and no prefetcher foresees its order.
  for (let line = 0; line < lines; line += 1) {
    words[line * LINE_WORDS] = ((line * 1_664_525 + 1_013_904_223) % lines) * LINE_WORDS;
  }
  walk(words, lines);
  const before = process.cpuUsage();
  walk(words, READS);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / READS;
}

/** Each read tells the place of the next one. */
function walk(words: Uint32Array, reads: number): number {
  let at = 0;
  for (let read = 0; read < reads; read += 1) at = words[at] ?? 0;
  return at;
}

/** Cores that a host of a named account counts as before anything of it was confirmed. */
const NEW_HOST_CORES = 16;
/** An anonymous host costs nothing to make. With 16 tasks a core even this many feed a machine of 64 cores. */
const NEW_ANONYMOUS_HOST_CORES = 4;

/**
 * Cores that a host counts as for what it may hold and take. What it declares is believed only as far as its validated
 * results carry: one more core with each of them, so that nobody hoards tasks by declaring a thousand cores.
 */
export function countedCores(of: {
  readonly declared: number;
  readonly anonymous: boolean;
  readonly validTasks: number;
}): number {
  const start = of.anonymous ? NEW_ANONYMOUS_HOST_CORES : NEW_HOST_CORES;
  return Math.min(of.declared, start + Math.max(0, of.validTasks));
}

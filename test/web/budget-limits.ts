/** What a visitor's first look at a route costs. */
export interface RouteCost {
  readonly route: string;
  /** Scripts and styles without which it shows nothing. */
  readonly gzipBytes: number;
  /** What a browser has seen; null where there was none. */
  readonly seen: SeenCost | null;
}

export interface SeenCost {
  /** Everything of the site's that it has loaded in its first seconds, what it shows later included. */
  readonly loadedGzipBytes: number;
  /** Longest task of the main thread. */
  readonly longestTaskMs: number;
  /** What its tasks take beyond 50 ms each, in all: how long a click may have to wait. */
  readonly blockedMs: number;
}

export interface RouteLimits extends SeenCost {
  readonly gzipBytes: number;
}

const KIB = 1024;

/** A visitor notices from about 100 ms; a slower machine than ours needs room. */
const LIMITS: RouteLimits = {
  gzipBytes: 150 * KIB,
  loadedGzipBytes: 175 * KIB,
  longestTaskMs: 200,
  blockedMs: 300,
};

const LIMITS_OF_ROUTES: Readonly<Record<string, Partial<RouteLimits>>> = {
  // Volunteers load what fetches, checks and runs work as well.
  '/volunteer': { gzipBytes: 190 * KIB, loadedGzipBytes: 190 * KIB },
};

/** Every route has limits: a new one those that most have. */
export function limitsOf(route: string): RouteLimits {
  return { ...LIMITS, ...LIMITS_OF_ROUTES[route] };
}

/** What of a route's cost is beyond its limits, as sentences. */
export function excessesOf({ route, gzipBytes, seen }: RouteCost): string[] {
  const limits = limitsOf(route);
  const excess = (what: string, value: number, limit: number, unit: string): string[] =>
    value <= limit ? [] : [`${route}: ${what} ${round(value)} ${unit}, at most ${round(limit)}`];
  return [
    ...excess('scripts and styles', gzipBytes / KIB, limits.gzipBytes / KIB, 'KiB'),
    ...(seen === null
      ? []
      : [
          ...excess('all it loads', seen.loadedGzipBytes / KIB, limits.loadedGzipBytes / KIB, 'KiB'),
          ...excess('longest task', seen.longestTaskMs, limits.longestTaskMs, 'ms'),
          ...excess('tasks beyond 50 ms', seen.blockedMs, limits.blockedMs, 'ms'),
        ]),
  ];
}

export const EXIT_CODES = { within: 0, beyond: 1, notMeasured: 3 } as const;

/** What the program ends with: it says that all is well only where it has seen all of it. */
export function exitCodeOf(costs: readonly RouteCost[]): number {
  if (costs.some((cost) => excessesOf(cost).length > 0)) return EXIT_CODES.beyond;
  return costs.every(({ seen }) => seen !== null) ? EXIT_CODES.within : EXIT_CODES.notMeasured;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

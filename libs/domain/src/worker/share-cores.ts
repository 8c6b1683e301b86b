/** A project that shares a host's cores with others. */
export interface CoreClaim {
  readonly id: string;
  /** Above 0; a project gets cores in proportion to it, as long as it has work for them. */
  readonly weight: number;
  /** Cores that it has work for now. */
  readonly wantedCores: number;
  /** Cores that it has had since the last time, whole. */
  readonly cores: number;
  /** What it was given too little (above 0) or too much (below), in core·milliseconds. */
  readonly owedMs: number;
}

export interface CoreGrant {
  readonly id: string;
  /** Whole cores from now on; within one of the fair share. */
  readonly cores: number;
  readonly owedMs: number;
}

export interface CoreSharing {
  /** Cores to share now. */
  readonly cores: number;
  /** Time since the last call, in milliseconds: what the claims' `cores` were used for. */
  readonly elapsedMs: number;
  /** How much more a project must be owed than the one that has a core before the core changes hands, in core·milliseconds. */
  readonly turnMs: number;
}

/** A debt beyond so many turns is forgotten, so that nobody is locked out to make up for a long night. */
const MOST_OWED_TURNS = 100;
/** Shares are fractions: what rounding leaves is no share. */
const EPSILON = 1e-9;

/**
 * Shares whole cores among projects by weight, with a deficit for what whole cores cannot express (after Shreedhar and
 * Varghese, "Efficient fair queueing using deficit round robin", 1995): who has been given too little is served next, so
 * that shares hold over time even with a single core. A project without work is owed nothing and takes nothing.
 *
 * @returns a grant for each claim, in the same order; together at most `cores`, and all of them where they are wanted
 */
export function shareCores(claims: readonly CoreClaim[], sharing: CoreSharing): CoreGrant[] {
  const fair = fairShares(claims, sharing.cores);
  const owed = claims.map((claim, index) => owedNow(claim, fair[index] ?? 0, sharing));
  const granted = fair.map((share) => Math.floor(share + EPSILON));
  const left = Math.round(sum(fair) - sum(granted));
  const candidates = claims
    .map((claim, index) => ({ index, claim, owedMs: owed[index] ?? 0 }))
    .filter(({ index }) => (fair[index] ?? 0) - (granted[index] ?? 0) > EPSILON)
    .map((candidate) => ({ ...candidate, rank: candidate.owedMs + patience(candidate, granted, sharing) }))
    .sort((a, b) => b.rank - a.rank || a.index - b.index);
  for (const { index } of candidates.slice(0, left)) granted[index] = (granted[index] ?? 0) + 1;
  return claims.map(({ id }, index) => ({ id, cores: granted[index] ?? 0, owedMs: owed[index] ?? 0 }));
}

/** Who has a core keeps it for a turn: a unit that is stopped and continued all the time helps nobody. */
function patience(
  { index, claim }: { readonly index: number; readonly claim: CoreClaim },
  granted: readonly number[],
  { turnMs }: CoreSharing,
): number {
  return claim.cores > (granted[index] ?? 0) ? turnMs : 0;
}

function owedNow(claim: CoreClaim, fairShare: number, { elapsedMs, turnMs }: CoreSharing): number {
  if (claim.wantedCores <= 0) return 0;
  const usedCores = Math.min(claim.cores, claim.wantedCores);
  const most = MOST_OWED_TURNS * turnMs;
  return Math.max(-most, Math.min(most, claim.owedMs + (fairShare - usedCores) * elapsedMs));
}

/** Max-min fair shares by weight: nobody gets more than it wants, and what one leaves is shared by the others. */
function fairShares(claims: readonly CoreClaim[], cores: number): number[] {
  const shares = claims.map(() => 0);
  const open = new Set(claims.flatMap(({ wantedCores }, index) => (wantedCores > 0 ? [index] : [])));
  let left = Math.min(cores, sum(claims.map(({ wantedCores }) => Math.max(0, wantedCores))));
  while (open.size > 0) {
    const weights = sum([...open].map((index) => claims[index]?.weight ?? 0));
    const part = (index: number): number => (left * (claims[index]?.weight ?? 0)) / weights;
    const content = [...open].filter((index) => (claims[index]?.wantedCores ?? 0) <= part(index) + EPSILON);
    // Whoever wants less than its part is served first, since that makes the others' parts larger.
    const served = content.length > 0 ? content : [...open];
    const given = served.map(
      (index) => [index, content.length > 0 ? wanted(claims, index) : part(index)] as const,
    );
    for (const [index, share] of given) {
      shares[index] = share;
      left -= share;
      open.delete(index);
    }
  }
  return shares;
}

function wanted(claims: readonly CoreClaim[], index: number): number {
  return claims[index]?.wantedCores ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** How the origin's line is shared out: different chunks to different hosts, and no more than the line carries soon. */
export interface OriginPolicy {
  /** Bytes that may be granted and not yet fetched, by all hosts together. At least one chunk always may. */
  readonly aheadBytes: number;
  /** A grant that nobody came for, or whose copy did not spread, may go to another host after this; then after twice as long… */
  readonly leaseMs: number;
  /** … but never after more than this, which is also what a host has once it has come for the chunk; twice this in all. */
  readonly maxLeaseMs: number;
  /** Ask again after this when the line is busy, … */
  readonly busyRetryMs: number;
  /** … and when others are fetching what is wanted. */
  readonly elsewhereRetryMs: number;
}

/** What one coordinator grants by default; `aheadBytes` is a second of the line. */
export function originPolicyOf(bytesPerSecond: number): OriginPolicy {
  return {
    aheadBytes: bytesPerSecond,
    leaseMs: 4_000,
    maxLeaseMs: 16_000,
    busyRetryMs: 100,
    elsewhereRetryMs: 500,
  };
}

/** `begun`: the host has come for the chunk, which is on its way; `fetched`: it has all of it. */
export type OriginGrantStage = 'granted' | 'begun' | 'fetched';

/** Who was last sent to the origin for a chunk. Times in milliseconds of one clock. */
export interface OriginGrant {
  readonly hostId: string;
  /** Since when this host has been granted it, however often it asked again. */
  readonly sinceMs: number;
  /** What it was granted for, before the host came. */
  readonly leaseMs: number;
  /** From then on it may go to another host. */
  readonly untilMs: number;
  readonly stage: OriginGrantStage;
}

/** What the origin saw a host do: it came for chunks, got all of them, or hung up before it had them. */
export type OriginStep = 'begun' | 'fetched' | 'broken-off';

export interface OriginAsk {
  readonly hostId: string;
  /** Chunks that the host lacks and is not fetching, most wanted first. */
  readonly wanted: readonly number[];
  readonly count: number;
  /** Peers have failed to deliver these in time. */
  readonly urgent: boolean;
}

export interface OriginBook {
  readonly grantOf: (chunk: number) => OriginGrant | undefined;
  /** Granted and not yet fetched within their leases, by all hosts and in all files. */
  readonly outstandingBytes: number;
  /** As above, by the asking host alone. */
  readonly ownOutstandingBytes: number;
  readonly chunkBytes: number;
  /** Hosts whose copies nobody takes any more. */
  readonly isDistrusted: (hostId: string) => boolean;
}

export interface OriginDecision {
  /** To be remembered; the host fetches them now. */
  readonly grants: ReadonlyMap<number, OriginGrant>;
  readonly otherwise: 'busy' | 'elsewhere';
  readonly retryAfterMs: number;
}

/**
 * Which chunks a host fetches from the origin now: first those that nobody was granted, then those that got lost on the way.
 *
 * A chunk leaves the origin about once, because a granted one is refused to others while its lease lasts. No host starves:
 * an urgent request is served even by a busy line as long as the host has nothing else outstanding, and nobody keeps a chunk from
 * others for longer than twice `maxLeaseMs`; so each host that asks urgently gets a chunk within that time. Nor does one host get more
 * than half of what the line carries soon.
 */
export function grantFromOrigin(
  ask: OriginAsk,
  book: OriginBook,
  policy: OriginPolicy,
  nowMs: number,
): OriginDecision {
  const nothing = new Map<number, OriginGrant>();
  if (book.isDistrusted(ask.hostId)) {
    return { grants: nothing, otherwise: 'elsewhere', retryAfterMs: policy.maxLeaseMs };
  }
  const room = Math.min(
    Math.max(book.chunkBytes, policy.aheadBytes) - book.outstandingBytes,
    Math.max(book.chunkBytes, policy.aheadBytes / 2) - book.ownOutstandingBytes,
  );
  const mayOverdraw = ask.urgent && book.ownOutstandingBytes === 0;
  const fitting = Math.max(0, Math.ceil(room / book.chunkBytes), mayOverdraw ? 1 : 0);
  if (fitting === 0) return { grants: nothing, otherwise: 'busy', retryAfterMs: policy.busyRetryMs };
  const fresh: number[] = [];
  const lost: number[] = [];
  for (const chunk of ask.wanted) {
    const grant = book.grantOf(chunk);
    if (!grant) fresh.push(chunk);
    else if (isLost(grant, ask, book, nowMs)) lost.push(chunk);
  }
  const grants = new Map<number, OriginGrant>();
  for (const chunk of [...fresh, ...lost].slice(0, Math.min(ask.count, fitting))) {
    const before = book.grantOf(chunk);
    const leaseMs = before ? Math.min(before.leaseMs * 2, policy.maxLeaseMs) : policy.leaseMs;
    const isAskedAgain = before?.hostId === ask.hostId && before.stage !== 'fetched';
    const sinceMs = isAskedAgain ? before.sinceMs : nowMs;
    const untilMs = Math.min(nowMs + leaseMs, sinceMs + 2 * policy.maxLeaseMs);
    grants.set(chunk, { hostId: ask.hostId, sinceMs, leaseMs, untilMs, stage: 'granted' });
  }
  return { grants, otherwise: 'elsewhere', retryAfterMs: policy.elsewhereRetryMs };
}

/** The grant of a chunk after its host took a step. What is on its way is not given to others because a line or a machine is slow. */
export function advanceGrant(
  grant: OriginGrant,
  step: OriginStep,
  { maxLeaseMs }: Pick<OriginPolicy, 'maxLeaseMs'>,
  nowMs: number,
): OriginGrant {
  switch (step) {
    case 'begun':
      if (grant.stage !== 'granted') return grant;
      return { ...grant, stage: 'begun', untilMs: Math.min(nowMs, grant.sinceMs + maxLeaseMs) + maxLeaseMs };
    case 'fetched':
      if (grant.stage === 'fetched') return grant;
      return { ...grant, stage: 'fetched', untilMs: Math.min(nowMs + grant.leaseMs, grant.untilMs) };
    case 'broken-off':
      // It may come for it again, as long as nobody else was granted it.
      return grant.stage === 'fetched' ? grant : { ...grant, stage: 'granted', untilMs: nowMs };
  }
}

function isLost(grant: OriginGrant, ask: OriginAsk, book: OriginBook, nowMs: number): boolean {
  if (book.isDistrusted(grant.hostId)) return true;
  const isFetched = grant.stage === 'fetched';
  // Whoever asks again for what it was granted has lost it: it restarted, or gave the download up.
  if (grant.hostId === ask.hostId && !isFetched) return true;
  return (ask.urgent || !isFetched) && nowMs >= grant.untilMs;
}

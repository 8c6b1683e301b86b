/** A peer that wants chunks from us. */
export interface SlotCandidate {
  readonly id: string;
  /** Bytes per second that it sends us. */
  readonly receivedPerSecond: number;
  /** Bytes that we have sent it. */
  readonly servedBytes: number;
}

export interface SlotRules {
  readonly uploadSlots: number;
  readonly optimisticSlots: number;
  /** We need nothing ourselves: slots go to those who got least, so that copies spread evenly. */
  readonly isSeed: boolean;
  /** Holders of the optimistic slots that keep them until the next rotation. */
  readonly keptOptimistic: ReadonlySet<string>;
}

export interface ChosenSlots {
  readonly regular: ReadonlySet<string>;
  readonly optimistic: ReadonlySet<string>;
}

/**
 * Who is served: tit for tat by received rate, least served first at seeds, and a chance for others (Cohen, "Incentives Build
 * Robustness in BitTorrent", 2003).
 */
export function chooseUploadSlots(
  candidates: readonly SlotCandidate[],
  rules: SlotRules,
  random: () => number,
): ChosenSlots {
  const shuffled = candidates
    .map((candidate) => ({ candidate, chance: random() }))
    .sort((a, b) => a.chance - b.chance)
    .map(({ candidate }) => candidate);
  const ranked = shuffled.toSorted((a, b) =>
    rules.isSeed ? a.servedBytes - b.servedBytes : b.receivedPerSecond - a.receivedPerSecond,
  );
  const regular = new Set(ranked.slice(0, rules.uploadSlots).map(({ id }) => id));
  const others = shuffled.filter(({ id }) => !regular.has(id));
  const kept = others.filter(({ id }) => rules.keptOptimistic.has(id));
  const newcomers = others.filter(({ id }) => !rules.keptOptimistic.has(id));
  const optimistic = new Set([...kept, ...newcomers].slice(0, rules.optimisticSlots).map(({ id }) => id));
  return { regular, optimistic };
}

/** Hosts that one account may accuse in {@link ACCUSATION_WINDOW_MS}; who accuses more is believed no further. */
export const ACCUSATIONS_PER_ACCOUNT = 16;
/** Accusations count for so long. */
export const ACCUSATION_WINDOW_MS = 24 * 3600 * 1000;
/** A peer whose guilt is confirmed gets no certificate for so long. */
export const BAD_PEER_BAR_MS = 24 * 3600 * 1000;

/** A host says that a peer sent it a chunk that is not what the manifest says. */
export interface Accusation {
  readonly accountId: string;
  /** /24 or /48 that the accuser called from; unknown networks are one network. */
  readonly network: string | null;
  readonly atMs: number;
}

/**
 * Whether a peer's guilt is certain beyond the accusers themselves, who each have banned it already: two of them on different
 * accounts and different networks, neither of them the accused's account. One host's word never takes another out of the swarm.
 *
 * @param rules.allowSameNetwork an operator whose volunteers share one network cannot tell them apart by it
 */
export function isGuiltConfirmed(
  accusations: readonly Accusation[],
  accused: { readonly accountId: string },
  rules: { readonly nowMs: number; readonly allowSameNetwork: boolean },
): boolean {
  const valid = accusations.filter(
    ({ accountId, atMs }) =>
      accountId !== accused.accountId && rules.nowMs - atMs < ACCUSATION_WINDOW_MS && atMs <= rules.nowMs,
  );
  return valid.some((one) =>
    valid.some(
      (other) =>
        one.accountId !== other.accountId && (rules.allowSameNetwork || one.network !== other.network),
    ),
  );
}

/** Hosts that one person may accuse in {@link ACCUSATION_WINDOW_MS}; who accuses more is believed no further. */
export const ACCUSATIONS_PER_PERSON = 16;
/** Accusations count for so long. */
export const ACCUSATION_WINDOW_MS = 24 * 3600 * 1000;
/** A peer whose guilt is confirmed gets no certificate for so long. */
export const BAD_PEER_BAR_MS = 24 * 3600 * 1000;

/** A host says that a peer sent it a chunk that is not what the manifest says. */
export interface Accusation {
  /** Whose account it is: accounts of one person accuse once. */
  readonly personId: string;
  /** Accounts without a name cost nothing: all of them together are one voice. */
  readonly isAnonymous: boolean;
  /** /24 or /48 that the accuser called from; unknown networks are one network. */
  readonly network: string | null;
  readonly atMs: number;
}

/**
 * Whether a peer's guilt is certain beyond the accusers themselves, who each have banned it already: two different
 * people on different networks, at most one of them without a name and neither of them the accused. One host's word never takes
 * another out of the swarm.
 *
 * @param rules.allowSameNetwork an operator whose volunteers share one network cannot tell them apart by it
 */
export function isGuiltConfirmed(
  accusations: readonly Accusation[],
  accused: { readonly personId: string },
  rules: { readonly nowMs: number; readonly allowSameNetwork: boolean },
): boolean {
  const valid = accusations.filter(
    ({ personId, atMs }) =>
      personId !== accused.personId && rules.nowMs - atMs < ACCUSATION_WINDOW_MS && atMs <= rules.nowMs,
  );
  return valid.some((one) =>
    valid.some(
      (other) =>
        one.personId !== other.personId &&
        !(one.isAnonymous && other.isAnonymous) &&
        (rules.allowSameNetwork || one.network !== other.network),
    ),
  );
}

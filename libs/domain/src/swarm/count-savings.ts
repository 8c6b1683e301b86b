/** What a host has of a file, in bytes: what it says it had from peers, and what the origin knows it has sent. */
export interface FileTraffic {
  readonly claimedBytes: number;
  readonly originBytes: number;
  /** What of the claim is believed. */
  readonly savedBytes: number;
}

export const NO_TRAFFIC: FileTraffic = { claimedBytes: 0, originBytes: 0, savedBytes: 0 };

/**
 * Adds what moved to what is known of one host and one file. The claim is believed as far as the origin did not send the file
 * itself: nobody saves more than one copy of a file, whatever it says, and what the origin sends later is taken off again.
 *
 * @param moved bytes, not negative
 */
export function countTraffic(
  before: FileTraffic,
  moved: { readonly fromPeersBytes?: number; readonly fromOriginBytes?: number },
  sizeBytes: number,
): FileTraffic {
  const claimedBytes = Math.min(sizeBytes, before.claimedBytes + (moved.fromPeersBytes ?? 0));
  const originBytes = Math.min(sizeBytes, before.originBytes + (moved.fromOriginBytes ?? 0));
  return { claimedBytes, originBytes, savedBytes: Math.min(claimedBytes, sizeBytes - originBytes) };
}

/** A file and its manifest take blocks and names of the disk however short they are: millions of short ones would use these up. */
export const MIN_HELD_BYTES = 64 * 1024;

/** One of those whom no operator has approved yet holds at most this part of what all of them may: one alone cannot use it up. */
export const NEWCOMER_PART = 1 / 4;

/** Whom a project's operator has approved, whom nobody has, and operators themselves. */
export type UploaderStanding = 'operator' | 'scientist' | 'newcomer';

export interface UploadRoomRules {
  /** Bytes that uploads of one scientist may hold. */
  readonly perScientistBytes: number;
  /** Bytes that uploads of all newcomers together may hold. */
  readonly newcomersBytes: number;
}

export interface UploadRoom {
  readonly standing: UploaderStanding;
  /** Bytes that the account's uploads hold, what it has announced included. */
  readonly heldBytes: number;
  /** The same of all newcomers; only theirs depend on it. */
  readonly newcomersHeldBytes: number;
}

/** Why an upload is not taken, and what there would be room for. */
export interface NoUploadRoom {
  /** Whose room is used up: the account's own, or that of all newcomers. */
  readonly whose: 'account' | 'newcomers';
  readonly maxBytes: number;
  readonly leftBytes: number;
}

/** Bytes that content of this size counts for. */
export function heldBytesOf(sizeBytes: number): number {
  return Math.max(MIN_HELD_BYTES, sizeBytes);
}

/** Bytes that uploads of one account may hold; null for operators, whose disk it is. */
export function uploadRoomBytes(standing: UploaderStanding, rules: UploadRoomRules): number | null {
  switch (standing) {
    case 'operator':
      return null;
    case 'scientist':
      return rules.perScientistBytes;
    case 'newcomer':
      return Math.floor(rules.newcomersBytes * NEWCOMER_PART);
  }
}

/** Whether an account may upload content of this size; null where it may. */
export function findNoUploadRoom(
  sizeBytes: number,
  { standing, heldBytes, newcomersHeldBytes }: UploadRoom,
  rules: UploadRoomRules,
): NoUploadRoom | null {
  const maxBytes = uploadRoomBytes(standing, rules);
  if (maxBytes === null) return null;
  const wantedBytes = heldBytesOf(sizeBytes);
  const leftBytes = Math.max(0, maxBytes - heldBytes);
  if (wantedBytes > leftBytes) return { whose: 'account', maxBytes, leftBytes };
  if (standing === 'scientist') return null;
  const leftToAllBytes = Math.max(0, rules.newcomersBytes - newcomersHeldBytes);
  if (wantedBytes <= leftToAllBytes) return null;
  return { whose: 'newcomers', maxBytes: rules.newcomersBytes, leftBytes: leftToAllBytes };
}

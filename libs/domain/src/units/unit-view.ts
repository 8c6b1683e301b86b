import type { Outcome, TaskState, UnitState } from '@gleaner/protocol';

/** A database identity; only ever compared for equality, so both of the driver's shapes serve. */
export type Id = number | string;

/** Who holds a task: everything that independence is judged by. */
export interface Party {
  readonly accountId: Id;
  /** Linked accounts (claimed anonymous work) share a person; an unlinked account is its own person. */
  readonly personId: Id;
  readonly hostId: Id;
  readonly anonymous: boolean;
  /** The /24 or /48 of {@link networkPrefix}; null where unknown, and all unknown networks count as one. */
  readonly network: string | null;
}

/** What a host reported, already checked against its digest. */
export interface TaskResult {
  readonly outcome: Outcome;
  /** SHA-256 of the result's digest text; equal digests are equal results. */
  readonly digest: string;
  /** Results of two versions are never compared. */
  readonly runtimeVersion: string;
  /** Executed instructions as reported. */
  readonly cycles: bigint;
  /** Whether the coordinator holds the bytes of every output: false where some were too large to travel inline. */
  readonly outputsHeld: boolean;
}

/** One instance of a work unit, as the task's row tells it. */
export interface TaskView extends Party {
  readonly ordinal: number;
  readonly state: TaskState;
  /** Whether it can still contribute to the quorum; unique per distinct key among a unit's tasks. */
  readonly counts: boolean;
  /** From {@link earnsCredit}; where it changes, credit that was granted stays. */
  readonly creditEligible: boolean;
  readonly result: TaskResult | null;
  /** Cycles that the ledger grants it now; null where it never earned any, or lost them again. */
  readonly heldCredit: bigint | null;
}

/** A work unit with all its tasks, in order of ordinal. */
export interface UnitView {
  readonly state: UnitState;
  /** Ordinals 0 to wanted-1 are or become tasks; those without a task are tickets that wait for a volunteer. */
  readonly wanted: number;
  /**
   * Final units: the agreed result. `awaiting-output`: whose outputs are asked for. `open`: the last host that was asked
   * in vain, or null.
   */
  readonly canonicalOrdinal: number | null;
  /** Milliseconds since the epoch; null while not final. */
  readonly settledAtMs: number | null;
  readonly jobPaused: boolean;
  /** Its answer stands: no unit is opened again. */
  readonly jobEnded: boolean;
  /** Whose job it is: this person computes for it, but never earns by it. */
  readonly submitterPersonId: Id;
  readonly tasks: readonly TaskView[];
}

/** What makes two volunteers independent of each other. */
export interface IndependenceRules {
  /** `host`: machines of one account may agree, by the operator's permission, which covers their network too. */
  readonly distinct: 'account' | 'host';
  /** The operator's permission for accounts behind one /24 or /48 to agree. */
  readonly allowSameNetwork: boolean;
}

/** A job's replication rules, the operator's permissions included. */
export interface UnitRules extends IndependenceRules {
  readonly quorum: number;
  readonly maxErrors: number;
  readonly maxTasks: number;
  /** The operator's permission for results that nobody else has to confirm (quorum 1) to earn what they say they counted. */
  readonly mayEarnAlone: boolean;
}

/** A result equal to the canonical one earns credit this long after its unit settled. */
export const LATE_CREDIT_MS = 7 * 24 * 3600 * 1000;

/** Whether nothing further happens to the unit, except late results being judged. */
export function isFinalUnitState(state: UnitState): boolean {
  switch (state) {
    case 'open':
    case 'awaiting-output':
      return false;
    case 'valid':
    case 'failed':
    case 'cancelled':
      return true;
  }
}

/** The key that no two counting tasks of a unit share: the account, or the host where hosts may agree. */
export function distinctKey(party: Party, rules: IndependenceRules): Id {
  return rules.distinct === 'host' ? party.hostId : party.accountId;
}

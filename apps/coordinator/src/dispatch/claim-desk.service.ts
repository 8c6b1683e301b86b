import { Inject, Injectable } from '@nestjs/common';
import { canHelp, distinctKey, isIndependentOfAll, type TaskView, type UnitRules } from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { Batcher, hotPool, isRetryable } from '../database/index.js';

import { type Claim, type ClaimRow, runClaims } from './claim.statement.js';
import { DISPATCH_SETTINGS, type DispatchSettings } from './dispatch-settings.js';
import { UnitReader } from '../validation/index.js';

const BATCH_CLAIMS = 256;
const WINDOW_MS = 2;
/** Half that of reports: whoever has waited there for company is not to wait for it again. */
const INTERVAL_MS = 8;
const BUSY_INTERVAL_MS = 48;
const CONCURRENT_BATCHES = 2;
const MAX_WAITING_REQUESTS = 20_000;
/** A batch fails as a whole where a claim that it did not see came first; then it is tried in halves. */
const MAX_TRIES = 3;

export interface DeskClaim extends Claim {
  readonly distinct: UnitRules['distinct'];
}

type Answers = ReadonlyArray<ClaimRow | undefined>;

/** Requests that arrive together share one claim statement here. */
@Injectable()
export class ClaimDesk {
  private readonly batcher: Batcher<readonly DeskClaim[], Answers>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly units: UnitReader,
    @Inject(DISPATCH_SETTINGS) private readonly settings: DispatchSettings,
  ) {
    this.batcher = new Batcher((requests) => this.runBatch(requests), {
      maxItems: BATCH_CLAIMS,
      weigh: (claims) => claims.length,
      windowMs: WINDOW_MS,
      intervalMs: INTERVAL_MS,
      busyIntervalMs: BUSY_INTERVAL_MS,
      concurrency: CONCURRENT_BATCHES,
      maxWaiting: MAX_WAITING_REQUESTS,
    });
  }

  /** Answers the claims of one request, in their order; undefined where the host has no standing (it was deleted). */
  async claim(claims: readonly DeskClaim[]): Promise<Answers> {
    const answers = await this.batcher.submit(claims);
    return Promise.all(answers.map((answer, at) => this.reconsider(claims[at], answer)));
  }

  private async runBatch(requests: ReadonlyArray<readonly DeskClaim[]>): Promise<Answers[]> {
    const { now, later } = separate(requests.flat(), this.settings);
    const rows = new Map<DeskClaim, ClaimRow | undefined>();
    const answers = await this.runTried(now);
    for (const [at, claim] of now.entries()) rows.set(claim, answers[at]);
    for (const [claim, { first, answer }] of later) {
      const isTaken = first !== undefined && rows.get(first)?.refusal === null;
      rows.set(claim, isTaken ? { ...answer, refusal: 'gone' } : answer);
    }
    return requests.map((claims) => claims.map((claim) => rows.get(claim)));
  }

  /** A claim that fails again and again on its own is left without an answer, and its ticket to others. */
  private async runTried(claims: readonly DeskClaim[], tries = 1): Promise<Answers> {
    try {
      return await runClaims(hotPool(this.dataSource), claims, {
        allowSameNetwork: this.settings.allowSameNetwork,
      });
    } catch (error) {
      if (!isRetryable(error)) throw error;
    }
    if (tries < MAX_TRIES) return this.runTried(claims, tries + 1);
    if (claims.length === 1) return [undefined];
    const middle = Math.floor(claims.length / 2);
    const first = await this.runTried(claims.slice(0, middle));
    return [...first, ...(await this.runTried(claims.slice(middle)))];
  }

  /**
   * The statement refuses whoever depends on any volunteer of the unit. Where these disagree already, a vote may still help
   * those that the claimer does not depend on: the domain decides, on the unit as a whole.
   */
  private async reconsider(
    claim: DeskClaim | undefined,
    answer: ClaimRow | undefined,
  ): Promise<ClaimRow | undefined> {
    if (!claim || answer?.refusal !== 'dependent' || answer.others < 2) return answer;
    const tasks: readonly TaskView[] = await this.units.tasksOf(claim.unitId);
    const rules = {
      ...NO_COUNTS,
      distinct: claim.distinct,
      allowSameNetwork: this.settings.allowSameNetwork,
    };
    if (!canHelp(tasks, claim.claimer, rules)) return answer;
    const [second] = await this.batcher.submit([{ ...claim, mayDepend: true }]);
    return second;
  }
}

/** `canHelp` looks at independence only. */
const NO_COUNTS = { quorum: 1, maxErrors: 1, maxTasks: 1, mayEarnAlone: false };

/** The answer for a claim that has to wait for the outcome of another one of its unit. None of others' tasks is known of. */
const DEFERRED: ClaimRow = {
  n: 0,
  refusal: 'dependent',
  others: 0,
  params: null,
  windows: null,
  deadline_ms: null,
  allowance_per_day: 0,
  in_progress: 0,
  held_reason: null,
};

interface Deferred {
  /** Whose claim of the same ticket goes first: once that is a task, this one is a replay. */
  readonly first: DeskClaim | undefined;
  readonly answer: ClaimRow;
}

/**
 * One statement does not see what it inserts itself: of claimers who depend on each other only one gets the unit, and of those
 * who were given a ticket and its replay only one the task.
 */
function separate(
  claims: readonly DeskClaim[],
  { allowSameNetwork }: DispatchSettings,
): { now: DeskClaim[]; later: Map<DeskClaim, Deferred> } {
  const byUnit = new Map<number, DeskClaim[]>();
  const now: DeskClaim[] = [];
  const later = new Map<DeskClaim, Deferred>();
  for (const claim of claims) {
    const others = byUnit.get(claim.unitId);
    if (!others) {
      byUnit.set(claim.unitId, [claim]);
      now.push(claim);
      continue;
    }
    const rules = { distinct: claim.distinct, allowSameNetwork };
    const parties = others.map(({ claimer }) => claimer);
    const first = others.find(({ ordinal }) => ordinal === claim.ordinal);
    if (!first && isIndependentOfAll(claim.claimer, parties, rules)) {
      others.push(claim);
      now.push(claim);
    } else {
      const own = distinctKey(claim.claimer, rules);
      const isOwn = parties.some((party) => distinctKey(party, rules) === own);
      later.set(claim, { first, answer: isOwn ? { ...DEFERRED, refusal: 'own' } : DEFERRED });
    }
  }
  return { now, later };
}

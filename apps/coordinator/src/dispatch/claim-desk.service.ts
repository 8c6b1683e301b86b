import { Inject, Injectable } from '@nestjs/common';
import { canHelp, isIndependentOfAll, type TaskView, type UnitRules, utcDay } from '@gleaner/domain';
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
    for (const claim of later) rows.set(claim, DEFERRED);
    return requests.map((claims) => claims.map((claim) => rows.get(claim)));
  }

  private async runTried(claims: readonly DeskClaim[]): Promise<Answers> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await runClaims(hotPool(this.dataSource), claims, {
          day: utcDay(Date.now()),
          allowSameNetwork: this.settings.allowSameNetwork,
        });
      } catch (error) {
        if (tries >= MAX_TRIES || !isRetryable(error)) throw error;
      }
    }
  }

  /**
   * The statement refuses whoever depends on any volunteer of the unit. Where these disagree already, a vote may still help
   * those that the claimer does not depend on: the domain decides, on the unit as a whole.
   */
  private async reconsider(
    claim: DeskClaim | undefined,
    answer: ClaimRow | undefined,
  ): Promise<ClaimRow | undefined> {
    if (!claim || answer?.refusal !== 'dependent' || answer.others < 2 || answer === DEFERRED) return answer;
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

/** The answer for a claim that has to wait for the outcome of another one of its unit. */
const DEFERRED: ClaimRow = {
  n: 0,
  refusal: 'dependent',
  others: 1,
  params: null,
  windows: null,
  deadline_ms: null,
  allowance_per_day: 0,
  in_progress: 0,
  held_reason: null,
};

/** One statement does not see what it inserts itself: of claimers who depend on each other only one gets the unit. */
function separate(
  claims: readonly DeskClaim[],
  { allowSameNetwork }: DispatchSettings,
): { now: DeskClaim[]; later: DeskClaim[] } {
  const byUnit = new Map<number, DeskClaim[]>();
  const now: DeskClaim[] = [];
  const later: DeskClaim[] = [];
  for (const claim of claims) {
    const others = byUnit.get(claim.unitId);
    if (!others) {
      byUnit.set(claim.unitId, [claim]);
      now.push(claim);
      continue;
    }
    const rules = { distinct: claim.distinct, allowSameNetwork };
    const parties = others.map(({ claimer }) => claimer);
    if (isIndependentOfAll(claim.claimer, parties, rules)) {
      others.push(claim);
      now.push(claim);
    } else later.push(claim);
  }
  return { now, later };
}

import { Inject, Injectable } from '@nestjs/common';
import { holdReason, isFinalUnitState, judgeReport } from '@gleaner/domain';
import { formatTaskId, type ReportAnswer, type ResultReport } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { Batcher, hotPool, isRetryable } from '../database/index.js';
import { countEndedTasks, type EndedTasks } from '../hosts/index.js';
import { ByteBudget } from '../http/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { Examiner, ValidationService } from '../validation/index.js';
import { checkReport, type ReportCheck } from './check-report.js';
import { undeclaredOutput } from './declared-outputs.js';
import { type CheckedReport, type ReportRow, runReports } from './report.statement.js';
import { TaskOutputs } from './task-outputs.service.js';

const BATCH_REPORTS = 256;
const WINDOW_MS = 2;
/**
 * Much of what a batch costs does not depend on its size: under load few and large ones serve more. It is here that calls
 * wait for company: those that reported together go on to ask for work together.
 */
const INTERVAL_MS = 16;
const BUSY_INTERVAL_MS = 64;
const CONCURRENT_BATCHES = 2;
const MAX_WAITING_REQUESTS = 20_000;
/** Outputs of reports that wait, in all and of one account: their number alone would bound nothing. */
const WAITING_OUTPUTS = { maxBytes: 256 * 1024 * 1024, maxBytesEach: 64 * 1024 * 1024 };
const MAX_TRIES = 3;
/** Results for settled units: rare, but whoever was away for long brings many, and claims must not wait for them. */
const LATE_UNITS = { maxItems: 512, windowMs: 5, intervalMs: 50, concurrency: 1, maxWaiting: 20_000 };

/** Who reports. */
export interface Reporter {
  readonly accountId: string;
  readonly hostId: string;
}

type Rows = ReadonlyArray<ReportRow | undefined>;
type AcceptedReport = Extract<ReportCheck, { readonly ok: true }>;

/** Takes in results. Clients may report the same result as often as they like. */
@Injectable()
export class ReportsService {
  private readonly budget = new ByteBudget(WAITING_OUTPUTS);
  private readonly batcher: Batcher<readonly CheckedReport[], Rows>;
  private readonly lateUnits: Batcher<readonly number[], null>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly outputs: TaskOutputs,
    private readonly examiner: Examiner,
    validation: ValidationService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.batcher = new Batcher((requests) => this.runBatch(requests), {
      maxItems: BATCH_REPORTS,
      weigh: (reports) => reports.length,
      windowMs: WINDOW_MS,
      intervalMs: INTERVAL_MS,
      busyIntervalMs: BUSY_INTERVAL_MS,
      concurrency: CONCURRENT_BATCHES,
      maxWaiting: MAX_WAITING_REQUESTS,
    });
    this.lateUnits = new Batcher(
      async (requests) => {
        await validation.examine(requests.flat());
        return requests.map(() => null);
      },
      { ...LATE_UNITS, weigh: (unitIds) => unitIds.length },
    );
  }

  /** Answers each report of one call, in their order. */
  async take(reporter: Reporter, reports: readonly ResultReport[]): Promise<ReportAnswer[]> {
    if (reports.length === 0) return [];
    const giveBack = this.budget.take(reporter.accountId, inlineBytes(reports));
    try {
      return await this.takeIn(reporter, reports);
    } finally {
      giveBack();
    }
  }

  private async takeIn(reporter: Reporter, reports: readonly ResultReport[]): Promise<ReportAnswer[]> {
    const answers = new Map<ResultReport, ReportAnswer>();
    const accepted = new Map<ResultReport, AcceptedReport>();
    for (const report of reports) {
      const check = checkReport(report, reporter.accountId);
      if (check.ok) accepted.set(report, check);
      else answers.set(report, { taskId: report.taskId, status: 'refused', reason: check.reason });
    }
    const kept = await this.keepOutputs(reporter, [...accepted.values()]);
    const pointers = new Map(reports.map((report, at) => [report, `/reports/${at}`]));
    if (accepted.size > 0) await this.store(reporter, accepted, kept, answers, pointers);
    return reports.map(
      (report) => answers.get(report) ?? { taskId: report.taskId, status: 'retry', reason: 'not stored' },
    );
  }

  /** Before the report itself, so that a result that is stored has its outputs. @returns reports whose outputs were kept */
  private async keepOutputs(
    reporter: Reporter,
    accepted: readonly AcceptedReport[],
  ): Promise<ReadonlySet<CheckedReport>> {
    const large = accepted.filter(({ blobs }) => blobs.length > 0);
    const reportable = await this.outputs.reportable(
      reporter.accountId,
      large.map(({ report }) => report),
    );
    const kept = large.filter(({ report }) => reportable.has(formatTaskId(report.unitId, report.ordinal)));
    for (const { report, blobs } of kept) await this.outputs.store(report, blobs);
    return new Set(kept.map(({ report }) => report));
  }

  private async store(
    reporter: Reporter,
    accepted: ReadonlyMap<ResultReport, AcceptedReport>,
    kept: ReadonlySet<CheckedReport>,
    answers: Map<ResultReport, ReportAnswer>,
    pointers: ReadonlyMap<ResultReport, string>,
  ): Promise<void> {
    const rows = await this.batcher.submit([...accepted.values()].map(({ report }) => report));
    const changed: number[] = [];
    const late = new Map<ResultReport, number>();
    const noLonger: EndedTasks[] = [];
    const failedOn: string[] = [];
    let at = 0;
    for (const [report, { report: checked, blobs }] of accepted) {
      const row = rows[at];
      at += 1;
      const undeclared = undeclaredOutputOf(row, report, pointers.get(report) ?? '');
      answers.set(report, { taskId: report.taskId, ...(undeclared ?? answerOf(row)) });
      if (isLate(row)) late.set(report, checked.unitId);
      if (row?.stored !== true) {
        if (kept.has(checked)) await this.outputs.forget(checked, blobs);
        continue;
      }
      if (row.unit_may_change && !isLate(row)) changed.push(checked.unitId);
      noLonger.push(...noLongerEnded(row));
      if (checked.outcome === 'infrastructure' || undeclared) failedOn.push(row.host_id ?? reporter.hostId);
      else await this.hold(reporter, checked, row);
    }
    if (failedOn.length > 0) await this.countFailures(failedOn);
    this.examiner.announce(changed);
    await countEndedTasks(hotPool(this.dataSource), noLonger);
    await this.settleLate(late, answers);
  }

  /**
   * Sweeps look at open units only, so nothing would replace an announcement of these: their reporter hears of nothing before
   * they are decided on, and repeats what was broken off.
   */
  private async settleLate(
    late: ReadonlyMap<ResultReport, number>,
    answers: Map<ResultReport, ReportAnswer>,
  ): Promise<void> {
    if (late.size === 0) return;
    try {
      await this.lateUnits.submit([...new Set(late.values())]);
    } catch (error) {
      this.logger.error({ event: 'late-results-failed', units: [...late.values()], err: error });
      const reason = 'it is stored, but was not decided on yet';
      for (const report of late.keys())
        answers.set(report, { taskId: report.taskId, status: 'retry', reason });
    }
  }

  /** @param hostIds of the tasks that failed: another host of the account may report what one has computed */
  private async countFailures(hostIds: readonly string[]): Promise<void> {
    await this.dataSource.query(
      `UPDATE host_standing s SET error_tasks = s.error_tasks + f.failures
         FROM (SELECT host_id, count(*) AS failures FROM unnest($1::bigint[]) AS failed(host_id)
                GROUP BY host_id ORDER BY host_id) f
        WHERE s.host_id = f.host_id`,
      [hostIds],
    );
  }

  /** Results that no machine can compute so fast keep their host from working until an operator has looked at it. */
  private async hold(reporter: Reporter, report: CheckedReport, row: ReportRow): Promise<void> {
    const reason = holdReason({ cycles: BigInt(report.cycles), elapsedMs: row.elapsed_ms ?? 0 }, null);
    if (reason === null) return;
    this.logger.warn({ event: 'host-held', hostId: reporter.hostId, reason });
    await this.dataSource.query('UPDATE host SET held_reason = $2 WHERE id = $1 AND held_reason IS NULL', [
      reporter.hostId,
      reason,
    ]);
  }

  /** One statement for all; what comes twice waits for a second one, where the first is then a repeat. */
  private async runBatch(requests: ReadonlyArray<readonly CheckedReport[]>): Promise<Rows[]> {
    let left = requests.flat();
    const rows = new Map<CheckedReport, ReportRow | undefined>();
    while (left.length > 0) {
      const batch = new Map<string, CheckedReport>();
      const again: CheckedReport[] = [];
      for (const report of left) {
        const key = `${report.unitId}.${report.ordinal}`;
        if (batch.has(key)) again.push(report);
        else batch.set(key, report);
      }
      const reports = [...batch.values()];
      const answers = await this.runTried(reports);
      for (const [at, report] of reports.entries()) rows.set(report, answers[at]);
      left = again;
    }
    return requests.map((reports) => reports.map((report) => rows.get(report)));
  }

  private async runTried(reports: readonly CheckedReport[]): Promise<Rows> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await runReports(hotPool(this.dataSource), reports);
      } catch (error) {
        if (tries >= MAX_TRIES || !isRetryable(error)) throw error;
      }
    }
  }
}

/** Stored, now or by an earlier try, when its unit was settled already, and not judged yet. */
function isLate(row: ReportRow | undefined): boolean {
  if (!row?.unit_state || !isFinalUnitState(row.unit_state)) return false;
  return row.stored || row.task_state === 'reported';
}

/** A task that was given up has a result after all. */
function noLongerEnded({ host_id: hostId, task_state: before }: ReportRow): EndedTasks[] {
  if (hostId === null || (before !== 'lost' && before !== 'aborted')) return [];
  return [{ hostId, lost: -Number(before === 'lost'), aborted: -Number(before === 'aborted') }];
}

/** Of the outputs that came along, in the form that they came in. */
function inlineBytes(reports: readonly ResultReport[]): number {
  let bytes = 0;
  for (const { outputs } of reports) for (const { base64 } of outputs) bytes += base64?.length ?? 0;
  return bytes;
}

/** Refused whatever the task's state: no repeat makes it right. */
function undeclaredOutputOf(
  row: ReportRow | undefined,
  report: ResultReport,
  pointer: string,
): Pick<ReportAnswer, 'status' | 'reason'> | null {
  if (!row?.job_output_names || row.job_output_bytes === null) return null;
  const reason = undeclaredOutput(pointer, report, {
    names: row.job_output_names,
    maxBytes: row.job_output_bytes,
  });
  return reason === null ? null : { status: 'refused', reason };
}

function answerOf(row: ReportRow | undefined): Pick<ReportAnswer, 'status' | 'reason'> {
  if (!row || row.task_state === null || row.unit_state === null) {
    return { status: 'refused', reason: 'this account has no such task' };
  }
  if (row.stored) return { status: 'accepted' };
  const judged = judgeReport(row.task_state, row.unit_state, row.settled_by_agreement, row.has_result);
  // It was acceptable when it was looked at, and no longer when it was written: the next try sees the new state.
  return judged.status === 'accepted' ? { status: 'retry', reason: 'the task changed meanwhile' } : judged;
}

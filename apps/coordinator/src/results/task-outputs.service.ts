import { rm, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { formatTaskId, LIMITS, type OutputWanted } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { BLOB_STORE, BlobReferences, BlobsService, type BlobStore } from '../blobs/index.js';
import { hotPool, plainArray, PreparedStatement, tokenArray } from '../database/index.js';
import { DomainError, NotFoundError } from '../http/index.js';
import { Examiner, taskBlobOwner } from '../validation/index.js';
import type { InlineBlob } from './check-report.js';
import { ARE_DECLARED, outputColumns } from './declared-outputs.js';
import type { CheckedReport } from './report.statement.js';

/** How old the list of outputs that hosts are asked for may be. */
const REFRESH_MS = 2_000;
const WANTED_MAX = 10_000;

interface TaskKey {
  readonly unitId: number;
  readonly ordinal: number;
}

/** SQL: whether results of tasks of unit `u` are still taken in. */
const STILL_WANTED = "(u.state IN ('open', 'awaiting-output') OR u.canonical_ordinal IS NOT NULL)";

const findReportable = new PreparedStatement<{ readonly unit_id: string; readonly ordinal: number }>(
  'find-reportable-tasks',
  `SELECT t.unit_id, t.ordinal
     FROM unnest($2::bigint[], $3::smallint[], $4::outcome[], $5::text[], $6::bigint[])
            AS r(unit_id, ordinal, outcome, output_names, output_bytes)
     JOIN task t ON t.unit_id = r.unit_id AND t.ordinal = r.ordinal
     JOIN work_unit u ON u.id = t.unit_id JOIN job j ON j.id = u.job_id
    WHERE t.account_id = $1 AND t.state IN ('in-progress', 'lost', 'aborted') AND t.outcome IS NULL
      AND ${STILL_WANTED} AND ${ARE_DECLARED}`,
);

const findWanted = new PreparedStatement<object>(
  'find-wanted-outputs',
  `SELECT t.unit_id, t.ordinal, t.host_id, t.outputs,
                greatest(0, extract(epoch FROM u.upload_until - now()) * 1000)::bigint AS within_ms,
                ARRAY(SELECT r.role FROM blob_reference r WHERE r.owner_kind = 'task'
                         AND r.owner_id = t.unit_id * ${LIMITS.tasksPerUnit} + t.ordinal) AS held
           FROM work_unit u JOIN task t ON t.unit_id = u.id AND t.ordinal = u.canonical_ordinal
          WHERE u.state = 'awaiting-output' AND u.upload_until > now() AND NOT t.outputs_held
          ORDER BY u.upload_until LIMIT ${WANTED_MAX}`,
);

const storedOutputs = z
  .array(z.object({ name: z.string(), size: z.number(), sha256: z.string(), base64: z.string().optional() }))
  .nullable();

const keptRows = z.array(z.object({ outputs: storedOutputs, held: z.boolean(), reportable: z.boolean() }));

const wantedRow = z.object({
  unit_id: z.coerce.number(),
  ordinal: z.number(),
  host_id: z.string(),
  outputs: storedOutputs,
  within_ms: z.coerce.number(),
  held: z.array(z.string()),
});

/** Outputs that are too large for their task's row: taken in with the report, or asked for after agreement. */
@Injectable()
export class TaskOutputs {
  private wanted: ReadonlyMap<string, readonly OutputWanted[]> = new Map();
  private loadedAtMs = Number.NEGATIVE_INFINITY;
  private loading: Promise<void> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly blobs: BlobsService,
    private readonly references: BlobReferences,
    private readonly examiner: Examiner,
    @Inject(BLOB_STORE) private readonly files: BlobStore,
  ) {}

  /** Stores outputs that came with a report. The reserve that uploads are refused for is there for these. */
  async store(task: TaskKey, blobs: readonly InlineBlob[]): Promise<void> {
    for (const { bytes, sha256 } of blobs) {
      const path = this.files.temporaryPath();
      try {
        await writeFile(path, bytes, { mode: 0o600 });
        await this.blobs.storeFile(path, { accountId: null, expectedSha256: sha256 });
      } finally {
        await rm(path, { force: true });
      }
    }
    await this.dataSource.transaction((manager) =>
      this.references.add(
        manager,
        taskBlobOwner(task),
        blobs.map(({ name, sha256 }) => ({ sha256, role: name })),
      ),
    );
  }

  /**
   * Of these tasks the ones whose result the account may hand in now, with these outputs. Asked before anything of a report is kept: whoever
   * knows a task's number must not add to what its host reported, nor fill the disk with repeats.
   */
  async reportable(accountId: string, tasks: readonly CheckedReport[]): Promise<ReadonlySet<string>> {
    if (tasks.length === 0) return new Set();
    const rows = await findReportable.run(hotPool(this.dataSource), [
      accountId,
      plainArray(tasks.map(({ unitId }) => unitId)),
      plainArray(tasks.map(({ ordinal }) => ordinal)),
      tokenArray(tasks.map(({ outcome }) => outcome)),
      ...outputColumns(tasks),
    ]);
    return new Set(rows.map((row) => formatTaskId(Number(row.unit_id), row.ordinal)));
  }

  /**
   * Lets go of outputs that were kept for a report which then was not stored, but of none that the stored result came with. While
   * the task may still be reported they stay: a repeat, here or at another coordinator, found them kept. Whoever settles the unit
   * lets go of what nobody reported.
   */
  async forget(task: TaskKey, blobs: readonly InlineBlob[]): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      // Whoever uploads an output of this task relies on what is kept as well.
      await manager.query('SELECT FROM task WHERE unit_id = $1 AND ordinal = $2 FOR NO KEY UPDATE', [
        task.unitId,
        task.ordinal,
      ]);
      const [row] = keptRows.parse(
        await manager.query(
          `SELECT t.outputs, t.outputs_held AS held, t.outcome IS NULL AND ${STILL_WANTED} AS reportable
             FROM task t JOIN work_unit u ON u.id = t.unit_id WHERE t.unit_id = $1 AND t.ordinal = $2`,
          [task.unitId, task.ordinal],
        ),
      );
      if (row?.reportable) return;
      const named = row?.held ? (row.outputs ?? []) : [];
      const unused = blobs.filter(
        ({ name, sha256 }) => !named.some((output) => output.name === name && output.sha256 === sha256),
      );
      const uses = unused.map(({ name, sha256 }) => ({ sha256, role: name }));
      await this.references.remove(manager, taskBlobOwner(task), uses);
    });
  }

  /** What this host is asked to upload now. */
  async wantedOf(hostId: string): Promise<readonly OutputWanted[]> {
    const ageMs = performance.now() - this.loadedAtMs;
    if (ageMs > REFRESH_MS * 5) await this.refresh();
    // Nobody who asks for work waits for a list that is merely not the newest.
    else if (ageMs > REFRESH_MS) void this.refresh().catch(() => undefined);
    return this.wanted.get(hostId) ?? [];
  }

  /** Takes in one output that was asked for. Sending it again is no error. */
  async upload(hostId: string, task: TaskKey, name: string, content: Readable): Promise<void> {
    const rows = z.array(z.object({ outputs: storedOutputs, asked: z.boolean(), held: z.boolean() })).parse(
      await this.dataSource.query(
        `SELECT t.outputs, u.state = 'awaiting-output' AND u.canonical_ordinal = t.ordinal AS asked, t.outputs_held AS held
           FROM task t JOIN work_unit u ON u.id = t.unit_id
          WHERE t.unit_id = $1 AND t.ordinal = $2 AND t.host_id = $3`,
        [task.unitId, task.ordinal, hostId],
      ),
    );
    const row = rows[0];
    const output = row?.outputs?.find((each) => each.name === name);
    if (!row || !output) throw new NotFoundError(`output "${name}" of task ${task.unitId}.${task.ordinal}`);
    if (row.held) return;
    if (!row.asked) throw notAsked();
    const stored = await this.blobs.storeStream(content, {
      accountId: null,
      expectedSha256: output.sha256,
      maxBytes: output.size,
      isResult: true,
    });
    await this.dataSource.transaction(async (manager) => {
      const owner = taskBlobOwner(task);
      // The unit may have been settled or removed while the content came: nobody would let go of it again.
      const [wanted] = await manager.query<unknown[]>(
        'SELECT FROM task WHERE unit_id = $1 AND ordinal = $2 AND outputs IS NOT NULL FOR NO KEY UPDATE',
        [task.unitId, task.ordinal],
      );
      if (!wanted) throw notAsked();
      await this.references.add(manager, owner, [{ sha256: stored.sha256, role: name }]);
      await manager.query(
        `UPDATE task t SET outputs_held = true
          WHERE t.unit_id = $1 AND t.ordinal = $2 AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(t.outputs) o
                 WHERE NOT o ? 'base64' AND (o->>'size')::bigint > 0 AND NOT EXISTS (
                       SELECT FROM blob_reference r WHERE r.owner_kind = $3 AND r.owner_id = $4 AND r.role = o->>'name'
                          AND r.sha256 = decode(o->>'sha256', 'hex')))`,
        [task.unitId, task.ordinal, owner.kind, owner.id],
      );
    });
    this.examiner.announce([task.unitId]);
  }

  private refresh(): Promise<void> {
    this.loading ??= this.load().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async load(): Promise<void> {
    const rows = z.array(wantedRow).parse(await findWanted.run(hotPool(this.dataSource), []));
    const wanted = new Map<string, OutputWanted[]>();
    for (const { unit_id: unitId, ordinal, host_id: hostId, outputs, within_ms: withinMs, held } of rows) {
      const taskId = `${unitId}.${ordinal}`;
      for (const { name, size, base64 } of outputs ?? []) {
        if (base64 !== undefined || size === 0 || held.includes(name)) continue;
        const uploadUrl = `/v1/tasks/${taskId}/outputs/${name}`;
        const asked = { taskId, name, uploadUrl, withinMs };
        wanted.set(hostId, [...(wanted.get(hostId) ?? []), asked]);
      }
    }
    this.wanted = wanted;
    this.loadedAtMs = performance.now();
  }
}

function notAsked(): DomainError {
  return new DomainError('wrong-state', 'This output is not asked for (any more).');
}

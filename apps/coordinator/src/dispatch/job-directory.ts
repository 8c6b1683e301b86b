import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { classOfUnit, type ChunkedInput, type UnitClass, type UnitRules } from '@gleaner/domain';
import { chunkSizeBytes, hexOfBlobId, type JobSpec, type WorkJob } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { hotPool, PreparedStatement, tokenArray } from '../database/index.js';
import { PATHS } from '../http/index.js';

/** How old the list of running jobs may be. Claims check a job's state once more in their statement. */
const REFRESH_MS = 1000;
/** A ticket of an unknown job asks for a new list, but not more often than this. */
const MIN_REFRESH_MS = 100;
/** Running jobs that are served; the rest wait for these to end. */
const RUNNING_JOBS_MAX = 10_000;
/** Inputs beyond this do not fit a browser tab. */
const BROWSER_INPUT_BYTES = 512 * 1024 * 1024;

/** A running job, perhaps one whose last units are still being made, as dispatch needs it. */
export interface RunningJob {
  readonly jobId: number;
  readonly share: number;
  readonly memoryMiB: number;
  readonly unitClass: UnitClass;
  readonly distinct: UnitRules['distinct'];
  readonly submitterPersonId: string;
  readonly isAppApproved: boolean;
  readonly runtimeVersion: string;
  /** Units that are not settled yet. */
  readonly openUnits: number;
  readonly inputs: readonly ChunkedInput[];
  /** Each unit has windows of its own of some of the inputs. */
  readonly isCut: boolean;
  /** What a host learns about the job. */
  readonly work: WorkJob;
}

type FixedFacts = Omit<RunningJob, 'isAppApproved' | 'openUnits' | 'submitterPersonId'>;

interface StateRow {
  readonly id: string;
  readonly approved: boolean;
  readonly submitter_person_id: string;
  readonly open_units: string;
}

interface FactsRow {
  readonly id: string;
  readonly name: string;
  readonly spec: Omit<JobSpec, 'split'>;
  readonly is_cut: boolean;
  readonly share: number;
  readonly memory_mib: number;
  readonly distinct_by: UnitRules['distinct'];
  readonly app: string;
  readonly version: string;
  readonly module_sha256: string;
  readonly runtime_version: string;
  readonly stepping: boolean;
}

interface BlobRow {
  readonly sha256: string;
  readonly manifest_id: string;
  readonly size_bytes: string;
}

const listRunning = new PreparedStatement<StateRow>(
  'list-running-jobs',
  `SELECT j.id, v.approved_at IS NOT NULL AS approved, coalesce(a.person_id, a.id) AS submitter_person_id,
          j.units_split - coalesce(t.units_valid + t.units_failed + t.units_cancelled, 0) AS open_units
     FROM job j JOIN app_version v ON v.id = j.app_version_id JOIN account a ON a.id = j.account_id
          LEFT JOIN job_tally t ON t.job_id = j.id
    WHERE j.state IN ('splitting', 'running') ORDER BY j.id LIMIT ${RUNNING_JOBS_MAX}`,
);

/** Without the splits, which may be megabytes of values for each of {@link RUNNING_JOBS_MAX} jobs. */
const loadFacts = new PreparedStatement<FactsRow>(
  'load-job-facts',
  `SELECT j.id, j.name, j.spec - 'split' AS spec,
          j.spec @? '$.split[*].kind ? (@ == "bytes" || @ == "records")' AS is_cut,
          j.share, j.memory_mib, j.distinct_by, app.name AS app, v.version, encode(v.rewritten_sha256, 'hex') AS module_sha256,
          v.runtime_version, v.stepping
     FROM job j JOIN app_version v ON v.id = j.app_version_id JOIN app ON app.id = v.app_id
    WHERE j.id = ANY ($1::bigint[])`,
);

const loadBlobs = new PreparedStatement<BlobRow>(
  'load-job-blobs',
  `SELECT encode(sha256, 'hex') AS sha256, encode(manifest_id, 'hex') AS manifest_id, size_bytes
     FROM blob JOIN unnest($1::text[]) AS wanted(hex) ON sha256 = decode(wanted.hex, 'hex')`,
);

/** The running jobs, with everything about them that never changes loaded once. */
@Injectable()
export class JobDirectory {
  private running: ReadonlyMap<number, RunningJob> = new Map();
  private manifestIds: ReadonlySet<string> = new Set();
  private shares: ReadonlyMap<UnitClass, number> = new Map();
  private facts = new Map<number, FixedFacts>();
  private loadedAtMs = Number.NEGATIVE_INFINITY;
  /** When the list that is known was asked for: what was committed by then is in it. */
  private askedAtMs = Number.NEGATIVE_INFINITY;
  private loading: Promise<void> | undefined;

  constructor(private readonly dataSource: DataSource) {}

  /** All running jobs by id, at most about {@link REFRESH_MS} old. */
  async list(): Promise<ReadonlyMap<number, RunningJob>> {
    const ageMs = performance.now() - this.loadedAtMs;
    if (ageMs > REFRESH_MS * 5) await this.refresh();
    // Requests do not wait for a list that is merely not the newest.
    else if (ageMs > REFRESH_MS) void this.refresh().catch(() => undefined);
    return this.running;
  }

  /**
   * A running job, or null where it does not run (any more).
   *
   * @param heardAtMs when its ticket came, by `performance.now()`: the job ran at that time, and may be in no list that is older
   */
  async find(jobId: number, heardAtMs: number): Promise<RunningJob | null> {
    const known = (await this.list()).get(jobId);
    if (known) return known;
    await this.askAfter(Math.max(heardAtMs, performance.now() - MIN_REFRESH_MS));
    return this.running.get(jobId) ?? null;
  }

  private async askAfter(atMs: number): Promise<void> {
    while (this.askedAtMs <= atMs) {
      const waitMs = this.loading ? 0 : this.askedAtMs + MIN_REFRESH_MS - performance.now();
      if (waitMs > 0) await delay(waitMs);
      else await this.refresh();
    }
  }

  /** The job as of the last list, without waiting for a newer one. */
  known(jobId: number): RunningJob | undefined {
    return this.running.get(jobId);
  }

  /** Whether a job of the list reads this input. */
  isRead(manifestId: string): boolean {
    return this.manifestIds.has(manifestId);
  }

  /** What the running jobs of a class that have units left may have together; 1 where none is known. */
  shareOf(unitClass: UnitClass): number {
    return this.shares.get(unitClass) ?? 1;
  }

  refresh(): Promise<void> {
    this.loading ??= this.load().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async load(): Promise<void> {
    const pool = hotPool(this.dataSource);
    const askedAtMs = performance.now();
    const states = await listRunning.run(pool, []);
    const missing = states.map(({ id }) => id).filter((id) => !this.facts.has(Number(id)));
    const facts = new Map<number, FixedFacts>();
    for (const { id } of states) {
      const known = this.facts.get(Number(id));
      if (known) facts.set(known.jobId, known);
    }
    if (missing.length > 0) {
      const rows = await loadFacts.run(pool, [tokenArray(missing)]);
      const digests = new Set(rows.flatMap((row) => Object.values(row.spec.inputs).map(hexOfBlobId)));
      const blobs = new Map(
        (await loadBlobs.run(pool, [tokenArray([...digests])])).map((row) => [row.sha256, row]),
      );
      for (const row of rows) facts.set(Number(row.id), toFacts(row, blobs));
    }
    const running = new Map<number, RunningJob>();
    for (const state of states) {
      const known = facts.get(Number(state.id));
      if (!known) continue;
      running.set(known.jobId, {
        ...known,
        isAppApproved: state.approved,
        submitterPersonId: state.submitter_person_id,
        openUnits: Number(state.open_units),
      });
    }
    this.facts = facts;
    this.running = running;
    this.manifestIds = new Set(
      [...running.values()].flatMap(({ inputs }) => inputs.map(({ manifestId }) => manifestId)),
    );
    this.shares = sharesByClass(running.values());
    this.loadedAtMs = performance.now();
    this.askedAtMs = askedAtMs;
  }
}

function sharesByClass(jobs: Iterable<RunningJob>): Map<UnitClass, number> {
  const shares = new Map<UnitClass, number>();
  for (const { unitClass, share, openUnits } of jobs) {
    if (openUnits > 0) shares.set(unitClass, (shares.get(unitClass) ?? 0) + share);
  }
  return shares;
}

function toFacts(row: FactsRow, blobs: ReadonlyMap<string, BlobRow>): FixedFacts {
  const inputs: WorkJob['inputs'] = {};
  let inputBytes = 0;
  for (const [name, blobId] of Object.entries(row.spec.inputs)) {
    const blob = blobs.get(hexOfBlobId(blobId));
    if (!blob) throw new Error(`job ${row.id}: input "${name}" (${blobId}) does not exist`);
    const sizeBytes = Number(blob.size_bytes);
    inputBytes += sizeBytes;
    inputs[name] = {
      blobId,
      manifestId: blob.manifest_id,
      sizeBytes,
      manifestUrl: PATHS.blobManifest(blobId),
      contentUrl: PATHS.blobContent(blobId),
    };
  }
  return {
    jobId: Number(row.id),
    share: row.share,
    memoryMiB: row.memory_mib,
    unitClass: classOfUnit(row.memory_mib, row.stepping && inputBytes <= BROWSER_INPUT_BYTES),
    distinct: row.distinct_by,
    runtimeVersion: row.runtime_version,
    inputs: Object.entries(inputs).map(([name, { manifestId, sizeBytes }]) => ({
      name,
      manifestId,
      sizeBytes,
      chunkBytes: chunkSizeBytes(sizeBytes),
    })),
    isCut: row.is_cut,
    work: {
      jobId: row.id,
      name: row.name,
      app: {
        name: row.app,
        version: row.version,
        moduleSha256: row.module_sha256,
        moduleUrl: PATHS.module(row.module_sha256),
        runtimeVersion: row.runtime_version,
        stepping: row.stepping,
      },
      inputs,
      args: [...row.spec.args],
      env: row.spec.env,
      outputs: [...row.spec.outputs],
      limits: row.spec.limits,
    },
  };
}

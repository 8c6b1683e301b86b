import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { checkJobSpec, estimateUnits, type UnitEstimate } from '@gleaner/domain';
import {
  canonicalJson,
  hexOfBlobId,
  type JobEstimate,
  type JobSpec,
  LIMITS,
  parseDurationMs,
  type SubmitJob,
} from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { requireLiving } from '../accounts/index.js';
import { BlobReferences } from '../blobs/index.js';
import { isUniqueViolation } from '../database/index.js';
import { DomainError, type Actor, type ProblemLocation } from '../http/index.js';
import { ProjectsService } from '../projects/index.js';
import { QUEUES, QueueService, type SplitData } from '../queue/index.js';
import { JobEntity } from './job.entity.js';
import { JobInputs } from './splitting/index.js';

/** A WebAssembly page has 64 KiB. */
const PAGES_PER_MIB = 16;

const appRows = z.array(
  z.object({
    id: z.string(),
    project_id: z.string(),
    approved: z.boolean(),
    memory_pages: z.number().nullable(),
  }),
);
type AppRow = z.infer<typeof appRows>[number];
const inputRows = z.array(z.object({ sha256: z.string(), size_bytes: z.coerce.number() }));
const meanRows = z.tuple([z.object({ mean: z.string().nullable() })]);
const submittedRows = z.array(z.object({ id: z.string(), request_sha256: z.string(), deleted: z.boolean() }));

interface CheckedJob extends UnitEstimate {
  readonly projectId: string;
  readonly app: AppRow;
  readonly inputBytes: number;
}

export interface Submission {
  readonly jobId: string;
  /** The same request had been submitted before under this key. */
  readonly isRepeat: boolean;
}

/** Accepts a job only when everything it names is there and it yields work, so that nothing fails hours later. */
@Injectable()
export class JobSubmission {
  constructor(
    private readonly dataSource: DataSource,
    private readonly projects: ProjectsService,
    private readonly inputs: JobInputs,
    private readonly references: BlobReferences,
    private readonly queues: QueueService,
  ) {}

  /**
   * @param idempotencyKey the same key with the same request gives the same job, whatever happened to the first answer
   * @throws {DomainError} `job-refused` with a pointer for each reason; `idempotency-conflict`
   */
  async submit(actor: Actor, request: SubmitJob, idempotencyKey: string | null): Promise<Submission> {
    const requestSha256 = createHash('sha256').update(canonicalJson(request)).digest();
    const earlier = await this.findSubmitted(actor, idempotencyKey, requestSha256);
    if (earlier) return earlier;
    const checked = await this.check(actor, request);
    let jobId: string;
    try {
      jobId = await this.dataSource.transaction((manager) =>
        this.insert(manager, actor, request.spec, checked, { idempotencyKey, requestSha256 }),
      );
    } catch (error) {
      // The same request in parallel was faster.
      const winner = isUniqueViolation(error, 'job_idempotency')
        ? await this.findSubmitted(actor, idempotencyKey, requestSha256)
        : null;
      if (winner) return winner;
      throw error;
    }
    await this.queues.queue<SplitData>(QUEUES.split).announce({ jobId }, { dedupeId: jobId });
    return { jobId, isRepeat: false };
  }

  /** What the job would be, without submitting it; refuses what submission would refuse. */
  async estimate(actor: Actor, request: SubmitJob): Promise<JobEstimate> {
    const { app, units, isExact, withoutRecordEnd, inputBytes } = await this.check(actor, request);
    const tasksAtLeast = units * request.spec.replication.quorum;
    const [{ mean }] = meanRows.parse(
      await this.dataSource.query(
        `SELECT trunc(sum(t.cycles) / nullif(sum(t.tasks), 0))::text AS mean
           FROM job j JOIN job_tally t ON t.job_id = j.id WHERE j.app_version_id = $1`,
        [app.id],
      ),
    );
    return {
      units,
      tasksAtLeast,
      inputBytes,
      maxCycles: (BigInt(tasksAtLeast) * BigInt(request.spec.limits.maxCycles)).toString(),
      meanCyclesPerUnit: mean,
      warnings: [
        ...(isExact ? [] : [projectionWarning(withoutRecordEnd)]),
        ...(app.approved
          ? []
          : [`${request.spec.app} is not approved: it runs only on your own hosts and earns no credit.`]),
        ...(request.spec.replication.quorum > 1 || actor.operator
          ? []
          : ['With quorum 1 nobody confirms the results, so volunteers earn no credit for them.']),
        ...(Object.keys(request.spec.inputs).length === 0 ? [] : ['Volunteers can read the inputs.']),
      ],
    };
  }

  private async check(actor: Actor, { project: slug, spec }: SubmitJob): Promise<CheckedJob> {
    const project = await this.projects.requireScientist(actor, slug);
    const app = await this.findApp(actor, spec, project.id);
    const faults: ProblemLocation[] = checkJobSpec(spec).map(({ pointer, detail }) => ({
      pointer: `/spec${pointer}`,
      detail,
    }));
    if (!app) {
      faults.push({
        pointer: '/spec/app',
        detail: `${spec.app} is no app version of the project "${slug}": publish it first, or name one that it has`,
      });
    }
    const memoryPages = app?.memory_pages ?? 0;
    if (memoryPages > spec.limits.memoryMiB * PAGES_PER_MIB) {
      faults.push({
        pointer: '/spec/limits/memoryMiB',
        detail: `${spec.app} starts with ${Math.ceil(memoryPages / PAGES_PER_MIB)} MiB of memory`,
      });
    }
    if (spec.replication.distinct === 'host' && !actor.operator) {
      faults.push({
        pointer: '/spec/replication/distinct',
        detail: 'only an operator may let hosts of one account agree',
      });
    }
    const inputBytes = await this.checkInputs(actor, spec, faults);
    if (!app || faults.length > 0) throw refused(faults);
    const { units, ...basis } = await this.estimateSplit(spec).catch(async (error: unknown) => {
      // Given back since it was checked, or while it was read.
      await this.checkInputs(actor, spec, faults);
      throw faults.length > 0 ? refused(faults) : error;
    });
    if (units === 0) throw refused([{ pointer: '/spec/split', detail: 'yields no work units' }]);
    if (units > LIMITS.unitsPerJob) {
      throw refused([
        {
          pointer: '/spec/split',
          detail: `yields ${units} units; at most ${LIMITS.unitsPerJob} are allowed`,
        },
      ]);
    }
    return { projectId: project.id, app, units, ...basis, inputBytes };
  }

  private async estimateSplit({ split, inputs }: JobSpec): Promise<UnitEstimate> {
    return await estimateUnits(split, await this.inputs.open(inputs));
  }

  private async findApp(actor: Actor, spec: JobSpec, projectId: string): Promise<AppRow | null> {
    const [name, version] = spec.app.split('@');
    const [app] = appRows.parse(
      await this.dataSource.query(
        `SELECT v.id, app.project_id, v.approved_at IS NOT NULL AS approved,
                (v.report #>> '{memoryPages,initial}')::int AS memory_pages
           FROM app_version v JOIN app ON app.id = v.app_id WHERE app.name = $1 AND v.version = $2`,
        [name, version],
      ),
    );
    const isUsable = app !== undefined && (app.project_id === projectId || (app.approved && actor.operator));
    return isUsable ? app : null;
  }

  /** Adds a fault for each input that is not stored or not the submitter's to use. Returns their bytes in all. */
  private async checkInputs(actor: Actor, spec: JobSpec, faults: ProblemLocation[]): Promise<number> {
    const rows = inputRows.parse(
      await this.dataSource.query(
        `SELECT encode(b.sha256, 'hex') AS sha256, b.size_bytes FROM blob b
          WHERE b.sha256 IN (SELECT decode(d, 'hex') FROM unnest($1::text[]) d)
            AND ($2 OR EXISTS (SELECT FROM blob_grant g WHERE g.sha256 = b.sha256 AND g.account_id = $3))`,
        [Object.values(spec.inputs).map(hexOfBlobId), actor.operator, actor.accountId],
      ),
    );
    const sizes = new Map(rows.map((row) => [row.sha256, row.size_bytes]));
    let bytes = 0;
    for (const [name, id] of Object.entries(spec.inputs)) {
      const size = sizes.get(hexOfBlobId(id));
      if (size === undefined) {
        faults.push({ pointer: `/spec/inputs/${name}`, detail: `you have not uploaded ${id}` });
      } else bytes += size;
    }
    return bytes;
  }

  private async insert(
    manager: EntityManager,
    actor: Actor,
    spec: JobSpec,
    { projectId, app }: CheckedJob,
    request: { readonly idempotencyKey: string | null; readonly requestSha256: Buffer },
  ): Promise<string> {
    await requireLiving(manager, actor.accountId);
    const job = await manager.save(JobEntity, {
      ...request,
      projectId,
      accountId: actor.accountId,
      appVersionId: app.id,
      name: spec.name,
      spec,
      stateReason: null,
      share: spec.share,
      quorum: spec.replication.quorum,
      maxErrors: spec.replication.maxErrors,
      maxTasks: spec.replication.maxTasks,
      distinctBy: spec.replication.distinct,
      memoryMiB: spec.limits.memoryMiB,
      taskDeadlineMs: String(parseDurationMs(spec.taskDeadline)),
      splitAt: null,
      outputSha256: null,
      finishedAt: null,
      deletedAt: null,
    });
    const uses = Object.entries(spec.inputs).map(([name, id]) => ({
      sha256: hexOfBlobId(id),
      role: `input:${name}`,
    }));
    const missing = new Set(await this.references.add(manager, { kind: 'job', id: job.id }, uses));
    // Swept since the check, a moment ago: the transaction takes the job back.
    if (missing.size > 0) {
      const gone = Object.entries(spec.inputs).filter(([, id]) => missing.has(hexOfBlobId(id)));
      throw refused(gone.map(([name, id]) => ({ pointer: `/spec/inputs/${name}`, detail: `${id} is gone` })));
    }
    return job.id;
  }

  private async findSubmitted(
    actor: Actor,
    idempotencyKey: string | null,
    requestSha256: Buffer,
  ): Promise<Submission | null> {
    if (idempotencyKey === null) return null;
    const [row] = submittedRows.parse(
      await this.dataSource.query(
        `SELECT id, encode(request_sha256, 'hex') AS request_sha256, deleted_at IS NOT NULL AS deleted
           FROM job WHERE account_id = $1 AND idempotency_key = $2`,
        [actor.accountId, idempotencyKey],
      ),
    );
    if (!row) return null;
    if (row.deleted || row.request_sha256 !== requestSha256.toString('hex')) {
      const difference = row.deleted ? 'which was deleted' : 'with another request';
      throw new DomainError(
        'idempotency-conflict',
        `This key submitted job ${row.id}, ${difference}. Use a new key for a new job.`,
        { errors: [{ pointer: '/idempotency-key', detail: `belongs to job ${row.id}` }] },
      );
    }
    return { jobId: row.id, isRepeat: true };
  }
}

function projectionWarning(withoutRecordEnd: string | undefined): string {
  return withoutRecordEnd === undefined
    ? 'The number of units is projected from the first records of a large input.'
    : `The number of units is a guess: no record ends in the beginning of "${withoutRecordEnd}". Is the delimiter of its split the right one?`;
}

function refused(errors: readonly ProblemLocation[]): DomainError {
  return new DomainError(
    'job-refused',
    errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '),
    {
      errors,
    },
  );
}

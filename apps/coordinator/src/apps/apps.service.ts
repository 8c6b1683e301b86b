import { Injectable } from '@nestjs/common';
import { admissionReport, type AppVersion } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AuditLog } from '../audit/index.js';
import { BlobReferences, BlobsService, type StoredBlob, UploadRooms } from '../blobs/index.js';
import { isUniqueViolation } from '../database/index.js';
import { DomainError, idFromCursor, NotFoundError, toPage, type Actor, type Page } from '../http/index.js';
import { ProjectsService } from '../projects/index.js';
import { AdmissionService } from './admission.service.js';
import { AppVersionEntity } from './app-version.entity.js';
import { AppEntity } from './app.entity.js';

const VERSION_SELECT = `
  SELECT v.id, app.name AS app, v.version, p.slug AS project, v.report, v.approved_at, v.created_at
    FROM app_version v JOIN app ON app.id = v.app_id JOIN project p ON p.id = app.project_id`;

const versionRow = z.object({
  id: z.string(),
  app: z.string(),
  version: z.string(),
  project: z.string(),
  report: admissionReport,
  approved_at: z.date().nullable(),
  created_at: z.date(),
});
type VersionRow = z.infer<typeof versionRow>;

const moduleRows = z.array(z.object({ size_bytes: z.coerce.number() }));

export interface AppVersionName {
  readonly project: string;
  readonly name: string;
  readonly version: string;
}

@Injectable()
export class AppsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly admission: AdmissionService,
    private readonly blobs: BlobsService,
    private readonly rooms: UploadRooms,
    private readonly references: BlobReferences,
    private readonly projects: ProjectsService,
    private readonly audit: AuditLog,
  ) {}

  /** @throws {DomainError} as {@link publish} would, before anything is uploaded */
  async requirePublisher(actor: Actor, name: AppVersionName): Promise<void> {
    const project = await this.projects.requireScientist(actor, name.project, { pointer: '/project' });
    await this.requireFree(this.dataSource.manager, project.id, name);
  }

  /**
   * Admits a module and stores it under a name for good. An operator's own upload is approved at once.
   *
   * @throws {DomainError} `module-refused` with the rule and byte offset of each reason; `already-exists`
   */
  async publish(actor: Actor, name: AppVersionName, bytes: Uint8Array): Promise<AppVersion> {
    const project = await this.projects.requireScientist(actor, name.project, { pointer: '/project' });
    await this.requireFree(this.dataSource.manager, project.id, name);
    const admission = await this.admission.admit(bytes);
    if (!admission.admitted) {
      const errors = admission.errors.map(({ rule, offset, message }) => ({
        // The body is the module: no pointer leads into it.
        pointer: '',
        detail: `${rule}: ${message}`,
        rule,
        ...(offset === null ? {} : { byteOffset: offset }),
      }));
      throw new DomainError('module-refused', errors.map(({ detail }) => detail).join(' '), { errors });
    }
    const { accountId } = actor;
    const original = await this.rooms.during(accountId, bytes.length, (holdId) =>
      this.blobs.storeBytes(bytes, { accountId, holdId }),
    );
    const rewritten = await this.blobs.storeBytes(admission.module, { accountId: null });
    try {
      await this.dataSource.transaction(async (manager) => {
        const appId = await findOrCreateApp(manager, project.id, name);
        await this.requireFree(manager, project.id, name);
        const version = await manager.save(AppVersionEntity, {
          appId,
          version: name.version,
          originalSha256: Buffer.from(original.sha256, 'hex'),
          rewrittenSha256: Buffer.from(rewritten.sha256, 'hex'),
          runtimeVersion: admission.report.runtimeVersion,
          stepping: admission.report.stepping,
          report: admissionReport.parse({
            ...admission.report,
            originalSha256: original.sha256,
            rewrittenSha256: rewritten.sha256,
          }),
          uploadedBy: actor.accountId,
          approvedAt: null,
          approvedBy: null,
        });
        await this.keepModules(manager, version.id, original, rewritten);
        if (actor.operator) await this.approveIn(manager, actor, version, name);
      });
    } catch (error) {
      if (isUniqueViolation(error, 'app_version_name')) throw taken(name);
      throw error;
    }
    return await this.get(name.name, name.version);
  }

  async get(app: string, version: string): Promise<AppVersion> {
    const [row] = await this.select('WHERE app.name = $1 AND v.version = $2', [app, version]);
    if (!row) throw new NotFoundError(`app version ${app}@${version}`);
    return present(row);
  }

  /** Newest first. Apps are public: volunteers may know what they run. */
  async list(cursor: string | undefined, limit: number): Promise<Page<AppVersion>> {
    const rows = await this.select('WHERE v.id < $1 ORDER BY v.id DESC LIMIT $2', [
      idFromCursor(cursor),
      limit + 1,
    ]);
    return toPage(rows, limit, present, ({ id }) => [id]);
  }

  /** From now on it runs on every volunteer's hosts and earns credit. Repeating it changes nothing. */
  async approve(actor: Actor, app: string, versionName: string): Promise<AppVersion> {
    const { project } = await this.get(app, versionName);
    await this.dataSource.transaction(async (manager) => {
      const version = await manager
        .createQueryBuilder(AppVersionEntity, 'v')
        .innerJoin(AppEntity, 'app', 'app.id = v.appId')
        .where('app.name = :app AND v.version = :versionName', { app, versionName })
        .setLock('pessimistic_write', undefined, ['v'])
        .getOneOrFail();
      await this.approveIn(manager, actor, version, { project, name: app, version: versionName });
    });
    return await this.get(app, versionName);
  }

  /** Size in bytes of a rewritten module that some version runs. */
  async moduleSizeBytes(sha256: string): Promise<number> {
    const [row] = moduleRows.parse(
      await this.dataSource.query(
        `SELECT b.size_bytes FROM blob b WHERE b.sha256 = decode($1, 'hex')
            AND EXISTS (SELECT FROM app_version v WHERE v.rewritten_sha256 = b.sha256)`,
        [sha256],
      ),
    );
    if (!row) throw new NotFoundError(`module ${sha256}`);
    return row.size_bytes;
  }

  private async approveIn(
    manager: EntityManager,
    actor: Actor,
    version: AppVersionEntity,
    { name, version: versionName }: AppVersionName,
  ): Promise<void> {
    if (version.approvedAt !== null) return;
    await manager.update(
      AppVersionEntity,
      { id: version.id },
      { approvedAt: new Date(), approvedBy: actor.accountId },
    );
    await this.audit.record(manager, {
      accountId: actor.accountId,
      action: 'app-version.approve',
      subject: `app ${name}@${versionName}`,
    });
  }

  /** A version never changes, and an app's name belongs to one project. */
  private async requireFree(manager: EntityManager, projectId: string, name: AppVersionName): Promise<void> {
    const app = await manager.findOneBy(AppEntity, { name: name.name });
    if (!app) return;
    if (app.projectId !== projectId) {
      throw new DomainError('already-exists', `The app name "${name.name}" belongs to another project.`, {
        errors: [{ pointer: '/name', detail: 'is taken' }],
      });
    }
    if (await manager.existsBy(AppVersionEntity, { appId: app.id, version: name.version })) throw taken(name);
  }

  private async keepModules(
    manager: EntityManager,
    versionId: string,
    original: StoredBlob,
    rewritten: StoredBlob,
  ): Promise<void> {
    const missing = await this.references.add(manager, { kind: 'app-version', id: versionId }, [
      { sha256: original.sha256, role: 'original' },
      { sha256: rewritten.sha256, role: 'module' },
    ]);
    if (missing.length > 0) {
      throw new DomainError(
        'unavailable',
        `The module (SHA-256 ${original.sha256}) was swept while it was being published: publish it again.`,
      );
    }
  }

  private async select(condition: string, parameters: readonly unknown[]): Promise<VersionRow[]> {
    return z
      .array(versionRow)
      .parse(await this.dataSource.query(`${VERSION_SELECT} ${condition}`, [...parameters]));
  }
}

/** Somebody else's, too: that is found out by who may use its name. */
async function findOrCreateApp(
  manager: EntityManager,
  projectId: string,
  { name }: AppVersionName,
): Promise<string> {
  const existing = await manager.findOneBy(AppEntity, { name });
  if (existing) return existing.id;
  // Another version of it may come at this very moment.
  await manager
    .createQueryBuilder()
    .insert()
    .into(AppEntity)
    .values({ name, projectId })
    .orIgnore()
    .execute();
  return (await manager.findOneByOrFail(AppEntity, { name })).id;
}

function taken({ name, version }: AppVersionName): DomainError {
  return new DomainError(
    'already-exists',
    `${name}@${version} exists: versions never change, choose another.`,
    {
      errors: [{ pointer: '/version', detail: 'is taken' }],
    },
  );
}

function present(row: VersionRow): AppVersion {
  return {
    app: row.app,
    version: row.version,
    project: row.project,
    approved: row.approved_at !== null,
    approvedAt: row.approved_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    report: row.report,
  };
}

import { Injectable } from '@nestjs/common';
import type { Project } from '@gleaner/protocol';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AuditLog } from '../audit/index.js';
import { AccountEntity } from '../accounts/index.js';
import {
  DomainError,
  idFromCursor,
  InvalidRequestError,
  NotFoundError,
  toPage,
  type Actor,
  type Page,
} from '../http/index.js';
import { isUniqueViolation } from '../database/index.js';
import { ProjectScientistEntity } from './project-scientist.entity.js';
import { ProjectEntity } from './project.entity.js';

/** Projects of one account that may wait for an operator, who decides on them one by one. */
const WAITING_MAX = 10;

const projectRows = z.array(z.object({ id: z.string() }));

@Injectable()
export class ProjectsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
  ) {}

  /** A project waits for an operator's approval, unless an operator makes it. */
  async create(actor: Actor, facts: { slug: string; name: string; description: string }): Promise<Project> {
    try {
      return await this.dataSource.transaction(async (manager) => {
        if (!actor.operator) await requireFewWaiting(manager, actor.accountId);
        const project = await manager.save(ProjectEntity, {
          ...facts,
          createdBy: actor.accountId,
          approvedAt: null,
          approvedBy: null,
        });
        return present(actor.operator ? await this.approveIn(manager, actor, project) : project);
      });
    } catch (error) {
      if (!isUniqueViolation(error, 'project_slug')) throw error;
      throw new DomainError('already-exists', `There is a project "${facts.slug}" already.`, {
        errors: [{ pointer: '/slug', detail: 'is taken' }],
      });
    }
  }

  async update(
    actor: Actor,
    slug: string,
    changes: { name?: string | undefined; description?: string | undefined },
    checkVersion: (current: Project) => void,
  ): Promise<Project> {
    return await this.dataSource.transaction(async (manager) => {
      const project = await this.lock(manager, slug);
      if (!actor.operator && project.createdBy !== actor.accountId)
        throw new NotFoundError(`project "${slug}"`);
      checkVersion(present(project));
      if (changes.name !== undefined) project.name = changes.name;
      if (changes.description !== undefined) project.description = changes.description;
      return present(await manager.save(ProjectEntity, project));
    });
  }

  /** Approved projects, one's own, and for operators all. */
  async list(actor: Actor | null, cursor: string | undefined, limit: number): Promise<Page<Project>> {
    const ids = projectRows.parse(
      await this.dataSource.query(
        `SELECT id FROM project p
          WHERE id < $1 AND ($2 OR approved_at IS NOT NULL OR created_by = $3
                OR EXISTS (SELECT FROM project_scientist s WHERE s.project_id = p.id AND s.account_id = $3))
          ORDER BY id DESC LIMIT $4`,
        [idFromCursor(cursor), actor?.operator ?? false, actor?.accountId ?? null, limit + 1],
      ),
    );
    const found = await this.dataSource
      .createQueryBuilder(ProjectEntity, 'project')
      .where('project.id = ANY(:ids)', { ids: ids.map(({ id }) => id) })
      .orderBy('project.id', 'DESC')
      .getMany();
    return toPage(found, limit, present, ({ id }) => [id]);
  }

  async get(actor: Actor | null, slug: string): Promise<Project> {
    const project = await this.dataSource.manager.findOneBy(ProjectEntity, { slug });
    if (!project || !(await this.maySee(actor, project))) throw new NotFoundError(`project "${slug}"`);
    return present(project);
  }

  /** Makes the project able to run jobs and its creator a scientist of it. Repeating it changes nothing. */
  async approve(actor: Actor, slug: string): Promise<Project> {
    return await this.dataSource.transaction(async (manager) => {
      const project = await this.lock(manager, slug);
      return present(await this.approveIn(manager, actor, project));
    });
  }

  async addScientist(actor: Actor, slug: string, accountId: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const project = await this.lock(manager, slug);
      const account = await manager.findOneBy(AccountEntity, { id: accountId });
      if (!account || account.deletedAt !== null || account.anonymous) {
        throw new InvalidRequestError([
          { pointer: '/accountId', detail: 'is not the account of a known person' },
        ]);
      }
      await this.admitScientist(manager, actor, project, accountId);
    });
  }

  /**
   * The project if this caller may publish, upload and submit in it.
   *
   * @throws {DomainError} `not-found`, `forbidden` or, unless `approved` is false, `project-not-approved`
   */
  async requireScientist(
    actor: Actor,
    slug: string,
    { approved = true, pointer = '/project' } = {},
  ): Promise<ProjectEntity> {
    const project = await this.dataSource.manager.findOneBy(ProjectEntity, { slug });
    if (!project || !(await this.maySee(actor, project))) {
      throw new DomainError('not-found', `There is no project "${slug}", or it is not yours.`, {
        errors: [{ pointer, detail: 'names no project of yours' }],
      });
    }
    if (approved && project.approvedAt === null) {
      throw new DomainError(
        'project-not-approved',
        `An operator has to approve the project "${slug}" first.`,
        {
          errors: [{ pointer, detail: 'is not approved' }],
        },
      );
    }
    if (
      !actor.operator &&
      project.createdBy !== actor.accountId &&
      !(await this.isScientist(actor, project))
    ) {
      throw new DomainError(
        'forbidden',
        `You are not a scientist of the project "${slug}": an operator can add your account, ${actor.accountId}, to them.`,
        {
          errors: [{ pointer, detail: 'has you not among its scientists' }],
        },
      );
    }
    return project;
  }

  private async maySee(actor: Actor | null, project: ProjectEntity): Promise<boolean> {
    if (project.approvedAt !== null) return true;
    if (!actor) return false;
    return (
      actor.operator || project.createdBy === actor.accountId || (await this.isScientist(actor, project))
    );
  }

  private async isScientist(actor: Actor, project: ProjectEntity): Promise<boolean> {
    return await this.dataSource.manager.existsBy(ProjectScientistEntity, {
      projectId: project.id,
      accountId: actor.accountId,
    });
  }

  private async lock(manager: EntityManager, slug: string): Promise<ProjectEntity> {
    const project = await manager.findOne(ProjectEntity, {
      where: { slug },
      lock: { mode: 'pessimistic_write' },
    });
    if (!project) throw new NotFoundError(`project "${slug}"`);
    return project;
  }

  private async approveIn(
    manager: EntityManager,
    actor: Actor,
    project: ProjectEntity,
  ): Promise<ProjectEntity> {
    if (project.approvedAt !== null) return project;
    project.approvedAt = new Date();
    project.approvedBy = actor.accountId;
    await this.audit.record(manager, {
      accountId: actor.accountId,
      action: 'project.approve',
      subject: `project ${project.slug}`,
    });
    await this.admitScientist(manager, actor, project, project.createdBy);
    return await manager.save(ProjectEntity, project);
  }

  private async admitScientist(
    manager: EntityManager,
    actor: Actor,
    project: ProjectEntity,
    accountId: string,
  ): Promise<void> {
    const known = await manager.existsBy(ProjectScientistEntity, { projectId: project.id, accountId });
    if (known) return;
    await manager.insert(ProjectScientistEntity, {
      projectId: project.id,
      accountId,
      approvedBy: actor.accountId,
    });
    await this.audit.record(manager, {
      accountId: actor.accountId,
      action: 'project.add-scientist',
      subject: `project ${project.slug}`,
      detail: { accountId },
    });
  }
}

/** One after the other, or those that are made at the same moment would not see each other. */
async function requireFewWaiting(manager: EntityManager, accountId: string): Promise<void> {
  await manager.query('SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE', [accountId]);
  const waiting = await manager.countBy(ProjectEntity, { createdBy: accountId, approvedAt: IsNull() });
  if (waiting < WAITING_MAX) return;
  throw new DomainError(
    'conflict',
    `${WAITING_MAX} projects of yours wait for an operator's approval: make another one when these are decided.`,
  );
}

function present(project: ProjectEntity): Project {
  return {
    slug: project.slug,
    name: project.name,
    description: project.description,
    approved: project.approvedAt !== null,
    createdAt: project.createdAt.toISOString(),
  };
}

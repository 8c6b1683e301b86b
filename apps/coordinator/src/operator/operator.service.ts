import { Injectable } from '@nestjs/common';
import { admissionReport, type AuditEntry, type OperatorInbox } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { HostsService } from '../hosts/index.js';
import { idFromCursor, toPage, type Page } from '../http/index.js';

/** Of each kind: whoever decides on these sees the next ones. */
const INBOX_MAX = 100;

const projectRows = z.array(
  z.object({
    slug: z.string(),
    name: z.string(),
    description: z.string(),
    created_at: z.date(),
    creator_id: z.string(),
    creator_name: z.string(),
    email: z.string().nullable(),
  }),
);
const versionRows = z.array(
  z.object({
    app: z.string(),
    version: z.string(),
    project: z.string(),
    created_at: z.date(),
    report: admissionReport,
    publisher_id: z.string(),
    publisher_name: z.string(),
  }),
);
const auditRows = z.array(
  z.object({
    id: z.string(),
    at: z.date(),
    account_id: z.string().nullable(),
    account_name: z.string().nullable(),
    action: z.string(),
    subject: z.string(),
    detail: z.record(z.string(), z.unknown()),
  }),
);

@Injectable()
export class OperatorService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hosts: HostsService,
  ) {}

  /** What has waited longest comes first; of projects the first of everybody, so that no one person's fill the list. */
  async inbox(): Promise<OperatorInbox> {
    const projects = projectRows.parse(
      await this.dataSource.query(
        `SELECT p.slug, p.name, p.description, p.created_at, a.id AS creator_id, a.name AS creator_name, u.email
           FROM project p JOIN account a ON a.id = p.created_by
                LEFT JOIN account_identity i ON i.account_id = a.id LEFT JOIN identity_user u ON u.id = i.user_id
          WHERE p.approved_at IS NULL
          ORDER BY row_number() OVER (PARTITION BY p.created_by ORDER BY p.id), p.id LIMIT ${INBOX_MAX}`,
      ),
    );
    const versions = versionRows.parse(
      await this.dataSource.query(
        `SELECT app.name AS app, v.version, p.slug AS project, v.created_at, v.report, a.id AS publisher_id,
                a.name AS publisher_name
           FROM app_version v JOIN app ON app.id = v.app_id JOIN project p ON p.id = app.project_id
                JOIN account a ON a.id = v.uploaded_by
          WHERE v.approved_at IS NULL ORDER BY v.id LIMIT ${INBOX_MAX}`,
      ),
    );
    return {
      projects: projects.map((row) => ({
        slug: row.slug,
        name: row.name,
        description: row.description,
        createdAt: row.created_at.toISOString(),
        creator: { id: row.creator_id, name: row.creator_name, email: row.email },
      })),
      appVersions: versions.map((row) => ({
        app: row.app,
        version: row.version,
        project: row.project,
        createdAt: row.created_at.toISOString(),
        publisher: { id: row.publisher_id, name: row.publisher_name },
        report: row.report,
      })),
      heldHosts: await this.hosts.listHeld(INBOX_MAX),
    };
  }

  async audit(cursor: string | undefined, limit: number): Promise<Page<AuditEntry>> {
    const rows = auditRows.parse(
      await this.dataSource.query(
        `SELECT e.id, e.at, e.account_id, a.name AS account_name, e.action, e.subject, e.detail
           FROM audit_entry e LEFT JOIN account a ON a.id = e.account_id
          WHERE e.id < $1 ORDER BY e.id DESC LIMIT $2`,
        [idFromCursor(cursor), limit + 1],
      ),
    );
    return toPage(
      rows,
      limit,
      (row) => ({
        id: row.id,
        at: row.at.toISOString(),
        account:
          row.account_id === null ? null : { id: row.account_id, name: row.account_name ?? 'somebody' },
        action: row.action,
        subject: row.subject,
        detail: row.detail,
      }),
      ({ id }) => [id],
    );
  }
}

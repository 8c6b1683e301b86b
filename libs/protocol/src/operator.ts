import { z } from 'zod';
import { admissionReport } from './apps.js';
import { host } from './hosts.js';
import { LIMITS } from './limits.js';
import { entityId, isoInstant, pageOf, plainText, slug } from './primitives.js';

export const pauseDispatch = z
  .strictObject({ reason: plainText(LIMITS.reasonLength).trim().min(1) })
  .meta({ id: 'PauseDispatch' });

export const dispatchPause = z
  .strictObject({ reason: z.string(), since: isoInstant })
  .meta({ id: 'DispatchPause' });
export type DispatchPause = z.infer<typeof dispatchPause>;

/** A day of UTC whose statistics are counted again. */
export const recountStatistics = z.strictObject({ day: z.iso.date() }).meta({ id: 'RecountStatistics' });

export const queueStatus = z
  .strictObject({
    name: z.string(),
    waiting: z.number().int(),
    delayed: z.number().int(),
    active: z.number().int(),
    failed: z.number().int(),
    /** Since the queue job that waits longest was added; null where none waits. */
    oldestWaitingSeconds: z.number().nullable(),
  })
  .meta({ id: 'QueueStatus' });
export type QueueStatus = z.infer<typeof queueStatus>;

/** How the server is, for everybody: what BOINC projects call their server status. */
export const serverStatus = z
  .strictObject({
    name: z.string(),
    at: isoInstant,
    /** null while hosts get work. */
    dispatchPaused: dispatchPause.nullable(),
    database: z.strictObject({ up: z.boolean(), latencyMs: z.number(), sizeBytes: z.number().int() }),
    /** null while the queue backend does not answer. */
    queues: z.array(queueStatus).nullable(),
    tasksInProgress: z.number().int(),
    hosts: z.strictObject({ seenLastHour: z.number().int(), held: z.number().int() }),
    jobs: z.record(z.string(), z.number().int()),
  })
  .meta({ id: 'ServerStatus' });
export type ServerStatus = z.infer<typeof serverStatus>;

/** What waits for an operator's decision. */
export const operatorInbox = z
  .strictObject({
    projects: z.array(
      z.strictObject({
        slug,
        name: z.string(),
        description: z.string(),
        createdAt: isoInstant,
        creator: z.strictObject({ id: entityId, name: z.string(), email: z.string().nullable() }),
      }),
    ),
    appVersions: z.array(
      z.strictObject({
        app: slug,
        version: z.string(),
        project: slug,
        createdAt: isoInstant,
        publisher: z.strictObject({ id: entityId, name: z.string() }),
        report: admissionReport,
      }),
    ),
    heldHosts: z.array(host),
  })
  .meta({ id: 'OperatorInbox' });
export type OperatorInbox = z.infer<typeof operatorInbox>;

export const auditEntry = z
  .strictObject({
    id: entityId,
    at: isoInstant,
    /** null: the coordinator itself. */
    account: z.strictObject({ id: entityId, name: z.string() }).nullable(),
    action: z.string(),
    subject: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditPage = pageOf(auditEntry).meta({ id: 'AuditPage' });

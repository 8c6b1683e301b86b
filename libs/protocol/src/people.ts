import { z } from 'zod';
import { account } from './accounts.js';
import { admissionReport } from './apps.js';
import { host } from './hosts.js';
import { LIMITS } from './limits.js';
import {
  decimalString,
  displayName,
  entityId,
  isoInstant,
  lineOf,
  pageOf,
  pageQuery,
  plainText,
  slug,
} from './primitives.js';
import { taskState } from './states.js';
import { noWorkReason } from './work.js';

/* Signing in. A browser gets a cookie that its scripts cannot read; programs use tokens. */

/** RFC 5321 allows no longer address. */
const emailAddress = z.email().max(254);
/** NIST SP 800-63B: length counts, rules of composition do not. */
const newPassword = plainText(LIMITS.passwordLength).min(LIMITS.passwordMinLength);

export const signUp = z
  .strictObject({ name: displayName, email: emailAddress, password: newPassword })
  .meta({ id: 'SignUp' });
export type SignUp = z.infer<typeof signUp>;

export const signIn = z
  .strictObject({ email: emailAddress, password: plainText(LIMITS.passwordLength) })
  .meta({ id: 'SignIn' });
export type SignIn = z.infer<typeof signIn>;

/** Asks for a code by mail. The answer does not tell whether anybody has this address. */
export const requestPasswordReset = z
  .strictObject({ email: emailAddress })
  .meta({ id: 'RequestPasswordReset' });

export const resetPassword = z
  .strictObject({ code: lineOf(100), password: newPassword })
  .meta({ id: 'ResetPassword' });

/** Of somebody who has signed in and proves again that it is them. Their other browsers are signed out. */
export const changePassword = z
  .strictObject({ current: plainText(LIMITS.passwordLength), password: newPassword })
  .meta({ id: 'ChangePassword' });

/** Asks for a code at the new address, which does not change before that has come back. */
export const requestEmailChange = z
  .strictObject({ current: plainText(LIMITS.passwordLength), email: emailAddress })
  .meta({ id: 'RequestEmailChange' });

export const changeEmail = z.strictObject({ code: lineOf(100) }).meta({ id: 'ChangeEmail' });

/** Who has signed in with this browser. */
export const session = z
  .strictObject({
    account: account.nullable(),
    /** null: nobody has signed in, or with a token instead of a password. */
    email: z.string().nullable(),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof session>;

/* One's own account */

export const updateAccount = z.strictObject({ name: displayName }).meta({ id: 'UpdateAccount' });

/** Deleting cannot be undone: `name` repeats the account's own. */
export const deleteAccount = z.strictObject({ name: z.string().max(1000) }).meta({ id: 'DeleteAccount' });

/** How a deleted person is called wherever the ledger still names their credit. */
export const DELETED_NAME = 'deleted volunteer';

/* Teams */

export const team = z
  .strictObject({
    id: entityId,
    name: z.string(),
    description: z.string(),
    /** Who may change it. */
    keeper: z.strictObject({ id: entityId, name: z.string() }),
    members: z.number().int(),
    /** Validated cycles that its members earned while they were members. */
    credit: decimalString,
    validTasks: z.number().int(),
    createdAt: isoInstant,
  })
  .meta({ id: 'Team' });
export type Team = z.infer<typeof team>;
export const teamPage = pageOf(team)
  .extend({
    isCutShort: z
      .boolean()
      .describe('A search took too long and was ended: teams may be missing whose names have `q` in them.'),
  })
  .meta({ id: 'TeamPage' });
export type TeamPage = z.infer<typeof teamPage>;

export const teamsQuery = pageQuery.extend({
  /** Part of a name. */
  q: lineOf(LIMITS.nameLength).optional(),
});
export type TeamsQuery = z.infer<typeof teamsQuery>;

export const foundTeam = z
  .strictObject({ name: displayName, description: plainText(LIMITS.teamDescriptionLength).default('') })
  .meta({ id: 'FoundTeam' });
export type FoundTeam = z.infer<typeof foundTeam>;
/** What the keeper may edit; `If-Match` carries the ETag of the version that was read. */
export const updateTeam = z
  .strictObject({
    name: displayName.optional(),
    description: plainText(LIMITS.teamDescriptionLength).optional(),
  })
  .meta({ id: 'UpdateTeam' });
export type UpdateTeam = z.infer<typeof updateTeam>;

export const teamMember = z
  .strictObject({
    id: entityId,
    name: z.string(),
    joinedAt: isoInstant,
    /** What they earned since they joined. */
    credit: decimalString,
  })
  .meta({ id: 'TeamMember' });
export const teamMemberPage = pageOf(teamMember).meta({ id: 'TeamMemberPage' });
export type TeamMember = z.infer<typeof teamMember>;

/** The caller's team, null where they have none. */
export const myTeam = z.strictObject({ team: team.nullable() }).meta({ id: 'MyTeam' });
export type MyTeam = z.infer<typeof myTeam>;

/* My hosts */

/** Of one host: its tasks by state, and those that it computes at this moment. */
export const hostTasks = z
  .strictObject({
    /** `reported` is counted among the units in flight, up to a bound: null beyond it. */
    counts: z.array(z.strictObject({ state: taskState, count: z.number().int().nullable() })),
    inProgress: z.array(
      z.strictObject({
        taskId: z.string(),
        job: z.strictObject({ id: entityId, name: z.string(), public: z.boolean() }),
        assignedAt: isoInstant,
        deadlineAt: isoInstant,
      }),
    ),
    /** Of one core, from results of the last hour; null where there are none. */
    cyclesPerSecond: decimalString.nullable(),
    /** What the host was told when it last asked for work; null where this coordinator has not heard it lately. */
    lastAnswer: z.strictObject({ at: isoInstant, noWork: z.array(noWorkReason) }).nullable(),
  })
  .meta({ id: 'HostTasks' });
export type HostTasks = z.infer<typeof hostTasks>;

/* The operator */

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

import { z } from 'zod';
import { hostPreferences, hostState, hostWishes } from './host-wishes.js';
import { jobSpec } from './job-spec.js';
import { LIMITS } from './limits.js';
import {
  blobId,
  decimalString,
  displayName,
  entityId,
  isoInstant,
  pageOf,
  plainText,
  sha256Hex,
  slug,
  versionName,
} from './primitives.js';
import { hostKind, jobState, outcome, unitState } from './states.js';

/* Accounts, tokens, projects */

export const ROLES = ['volunteer', 'scientist', 'operator'] as const;
/** `work` attaches hosts and computes; `submit` publishes apps, uploads and submits jobs; `operate` approves. */
export const SCOPES = ['work', 'submit', 'operate'] as const;
export const scope = z.enum(SCOPES).meta({ id: 'Scope' });
export type Scope = z.infer<typeof scope>;

export const account = z
  .strictObject({
    id: entityId,
    name: z.string(),
    anonymous: z.boolean(),
    operator: z.boolean(),
    createdAt: isoInstant,
    /** Validated cycles of approved apps; those of all accounts of its person, claimed ones included. */
    credit: decimalString,
  })
  .meta({ id: 'Account' });
export type Account = z.infer<typeof account>;

export const createAccount = z
  .strictObject({ name: displayName, operator: z.boolean().default(false) })
  .meta({ id: 'CreateAccount' });

export const createToken = z
  .strictObject({
    label: displayName,
    scopes: z.array(scope).min(1).max(SCOPES.length),
    expiresAt: isoInstant.optional(),
  })
  .meta({ id: 'CreateToken' });
export const token = z
  .strictObject({
    id: entityId,
    label: z.string(),
    scopes: z.array(scope),
    hostId: entityId.nullable(),
    createdAt: isoInstant,
    lastUsedAt: isoInstant.nullable(),
    expiresAt: isoInstant.nullable(),
    revokedAt: isoInstant.nullable(),
    /** A browser got it by signing in. */
    session: z.boolean(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof token>;
/** The secret is shown once; the coordinator keeps its SHA-256. */
export const createdToken = z.strictObject({ token, secret: z.string() }).meta({ id: 'CreatedToken' });
export type CreatedToken = z.infer<typeof createdToken>;

export const createProject = z
  .strictObject({
    slug,
    name: displayName,
    description: plainText(LIMITS.descriptionLength).default(''),
  })
  .meta({ id: 'CreateProject' });
/** What may be edited; `If-Match` carries the ETag of the version that was read. */
export const updateProject = z
  .strictObject({
    name: displayName.optional(),
    description: plainText(LIMITS.descriptionLength).optional(),
  })
  .meta({ id: 'UpdateProject' });
export const project = z
  .strictObject({
    slug,
    name: z.string(),
    description: z.string(),
    approved: z.boolean(),
    createdAt: isoInstant,
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof project>;
/** Why an operator keeps a host from working; null lets it work again. */
export const holdHost = z.strictObject({ reason: plainText(500).min(1).nullable() }).meta({ id: 'HoldHost' });
export const addScientist = z.strictObject({ accountId: entityId }).meta({ id: 'AddScientist' });

/** Anonymous work becomes the caller's: `secret` is the host token of the anonymous account. */
export const claimAccount = z.strictObject({ secret: z.string().max(200) }).meta({ id: 'ClaimAccount' });

/* The coordinator itself */

/** Who runs this coordinator and what its clients need to know, before anybody trusts it with anything. */
export const coordinatorInfo = z
  .strictObject({
    name: z.string(),
    operator: z.strictObject({ name: z.string(), contact: z.string() }),
    /** Version of the wire protocol, see PROTOCOL_VERSION. */
    protocol: z.number().int(),
    /** What signs manifests: the raw 32 bytes of an Ed25519 public key, base64. */
    publicKey: z.string(),
    sourceUrl: z.string(),
  })
  .meta({ id: 'CoordinatorInfo' });
export type CoordinatorInfo = z.infer<typeof coordinatorInfo>;

/* Hosts */

export const hostFacts = z
  .strictObject({
    name: displayName,
    kind: hostKind,
    platform: plainText(40).default('unknown'),
    cores: z.number().int().min(1).max(1024),
    memoryMiB: z
      .number()
      .int()
      .min(1)
      .max(1 << 26),
    agentVersion: plainText(40).default('unknown'),
    /** The owner has chosen the name, for the boards to show; otherwise it is the machine's own, and they do not. */
    isNamed: z.boolean().optional(),
  })
  .meta({ id: 'HostFacts' });
export type HostFacts = z.infer<typeof hostFacts>;

/** With a `work` token the host joins that account; without one an anonymous account is made for it. */
export const attachHost = z.strictObject({ host: hostFacts }).meta({ id: 'AttachHost' });
export const attachedHost = z
  .strictObject({
    hostId: entityId,
    accountId: entityId,
    anonymous: z.boolean(),
    /** A revocable token that can only work, and only as this host. Shown once. */
    secret: z.string(),
    coordinator: z.strictObject({ name: z.string(), url: z.string() }),
  })
  .meta({ id: 'AttachedHost' });
export type AttachedHost = z.infer<typeof attachedHost>;

export const host = z
  .strictObject({
    id: entityId,
    accountId: entityId,
    name: z.string(),
    /** What everybody reads on the boards: `host 12` until the owner gives it a name, and always where it joined without an account. */
    publicName: z.string(),
    kind: hostKind,
    platform: z.string(),
    cores: z.number().int(),
    memoryMiB: z.number().int(),
    createdAt: isoInstant,
    lastSeenAt: isoInstant.nullable(),
    inProgress: z.number().int(),
    validTasks: z.number().int(),
    invalidTasks: z.number().int(),
    errorTasks: z.number().int(),
    /** Their deadline passed, and no result has come since. */
    lostTasks: z.number().int(),
    /** Given back, or no longer wanted. */
    abortedTasks: z.number().int(),
    allowance: z.strictObject({
      perDay: z.number().int(),
      usedToday: z.number().int(),
      resetsAt: isoInstant,
    }),
    held: z.string().nullable(),
    credit: decimalString,
    agentVersion: z.string(),
    /** What the owner asks of it from afar; its version is 0 until something was asked. */
    wishes: hostWishes,
    /** What it last said of itself, since `at`; null: nothing, not lately, or it is not the caller's to know. */
    state: hostState.extend({ at: isoInstant }).nullable(),
  })
  .meta({ id: 'Host' });
export type Host = z.infer<typeof host>;

/** What the owner may change from afar; `If-Match` carries the ETag of the version that was read. null: no preferences. */
export const updateHost = z
  .strictObject({
    name: displayName.optional(),
    run: hostWishes.shape.run.optional(),
    preferences: hostPreferences.nullable().optional(),
  })
  .meta({ id: 'UpdateHost' });
export type UpdateHost = z.infer<typeof updateHost>;

/* Apps */

export const admissionReport = z
  .strictObject({
    originalSha256: sha256Hex,
    rewrittenSha256: sha256Hex,
    runtimeVersion: z.string(),
    originalBytes: z.number().int(),
    rewrittenBytes: z.number().int(),
    stepping: z.boolean(),
    imports: z.array(z.string()),
    features: z.array(z.string()),
    warnings: z.array(z.string()),
    functions: z.number().int(),
    /** Bytes of virtual stack that the deepest non-recursive call chain takes; null where calls recurse. */
    staticStackBytes: z.number().int().nullable(),
    /** Pages of 64 KiB that the memory starts with, and its own maximum; a job's memory limit must allow the first. */
    memoryPages: z.strictObject({ initial: z.number().int(), maximum: z.number().int().nullable() }),
  })
  .meta({ id: 'AdmissionReport' });
export type AdmissionReportDto = z.infer<typeof admissionReport>;

export const appVersion = z
  .strictObject({
    app: slug,
    version: versionName,
    project: slug,
    approved: z.boolean(),
    approvedAt: isoInstant.nullable(),
    createdAt: isoInstant,
    report: admissionReport,
  })
  .meta({ id: 'AppVersion' });
export type AppVersion = z.infer<typeof appVersion>;

/** POST /v1/apps?project=&name=&version= with the module as `application/wasm`. */
export const publishAppQuery = z.strictObject({ project: slug, name: slug, version: versionName });

/* Blobs */

export const blob = z
  .strictObject({
    blobId,
    sizeBytes: z.number().int(),
    manifestId: sha256Hex,
    chunkBytes: z.number().int(),
    chunks: z.number().int(),
    /** Ed25519 by the coordinator over the manifest's bytes, base64. */
    signature: z.string(),
    createdAt: isoInstant,
    references: z.number().int(),
  })
  .meta({ id: 'Blob' });
export type Blob = z.infer<typeof blob>;

/* Jobs */

export const submitJob = z.strictObject({ project: slug, spec: jobSpec }).meta({ id: 'SubmitJob' });
export type SubmitJob = z.infer<typeof submitJob>;

export const unitCounts = z
  .strictObject({
    total: z.number().int(),
    open: z.number().int(),
    awaitingOutput: z.number().int(),
    valid: z.number().int(),
    failed: z.number().int(),
    cancelled: z.number().int(),
    /** Open units that cannot go on until another account comes. */
    blocked: z.number().int(),
  })
  .meta({ id: 'UnitCounts' });

export const job = z
  .strictObject({
    id: entityId,
    project: slug,
    name: z.string(),
    app: z.string(),
    state: jobState,
    /** Why it is paused, failed or cancelled. */
    stateReason: z.string().nullable(),
    units: unitCounts,
    /** What its blocked units wait for; where they wait for different things, what most do. */
    blockedReason: z.string().nullable(),
    /** Share of units settled, 0 to 1000. */
    progressPermille: z.number().int(),
    /** Tasks of settled units: what is still being computed or waits for its quorum is not among them. */
    tasks: z.number().int(),
    /** Cycles of the valid tasks of settled units. */
    validatedCycles: decimalString,
    output: z.strictObject({ blobId, sizeBytes: z.number().int() }).nullable(),
    createdAt: isoInstant,
    finishedAt: isoInstant.nullable(),
    spec: jobSpec,
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof job>;

export const jobEstimate = z
  .strictObject({
    units: z.number().int(),
    tasksAtLeast: z.number().int(),
    inputBytes: z.number().int(),
    /** Upper bound of cycles that volunteers can spend: tasksAtLeast × maxCycles. */
    maxCycles: decimalString,
    /** Cycles a unit took so far in validated results of the same app version, null before the first. */
    meanCyclesPerUnit: decimalString.nullable(),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'JobEstimate' });
export type JobEstimate = z.infer<typeof jobEstimate>;

/** One unit and, once the job has ended or the unit has failed, its settled result. */
export const unitResult = z
  .strictObject({
    unitId: z.number().int(),
    index: z.number().int(),
    state: unitState,
    params: z.record(z.string(), z.unknown()),
    outcome: outcome.nullable(),
    cycles: decimalString.nullable(),
    digest: sha256Hex.nullable(),
    stderr: z.string().nullable(),
    /** What an open unit cannot go on without. */
    blocked: z.string().nullable(),
    /** Why a failed unit failed. */
    failure: z.string().nullable(),
  })
  .meta({ id: 'UnitResult' });
export type UnitResult = z.infer<typeof unitResult>;

/* Leaderboards and health */

export const leaderboardRow = z
  .strictObject({
    rank: z.number().int(),
    id: entityId,
    name: z.string(),
    credit: decimalString,
    validTasks: z.number().int(),
  })
  .meta({ id: 'LeaderboardRow' });
export type LeaderboardRow = z.infer<typeof leaderboardRow>;
export const leaderboard = pageOf(leaderboardRow).meta({ id: 'Leaderboard' });
export type Leaderboard = z.infer<typeof leaderboard>;

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    code: z.string(),
    /** Where in the request: JSON pointers into the body, or the parameter's name. */
    errors: z
      .array(
        z.object({
          pointer: z.string(),
          detail: z.string(),
          /** Of a module that was refused: the rule that it breaks, and where. */
          rule: z.string().optional(),
          byteOffset: z.number().int().min(0).optional(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });
export type Problem = z.infer<typeof problem>;

export const accountPage = pageOf(account);
export const appVersionPage = pageOf(appVersion);
export const hostPage = pageOf(host);
export const jobPage = pageOf(job);
export const projectPage = pageOf(project);
export const tokenPage = pageOf(token);
export const unitResultPage = pageOf(unitResult);

import { z } from 'zod';

/** `splitting` → `running` ⇄ `paused` → `assimilating` → `completed`; `cancelled` and `failed` end it early. */
export const JOB_STATES = [
  'splitting',
  'running',
  'paused',
  'assimilating',
  'completed',
  'failed',
  'cancelled',
] as const;
export const jobState = z.enum(JOB_STATES).meta({ id: 'JobState' });
export type JobState = z.infer<typeof jobState>;

/** `open` and `awaiting-output` can go on; the others are final. */
export const UNIT_STATES = ['open', 'awaiting-output', 'valid', 'failed', 'cancelled'] as const;
export const unitState = z.enum(UNIT_STATES).meta({ id: 'UnitState' });
export type UnitState = z.infer<typeof unitState>;

/**
 * `in-progress`: sent to a host. `reported`: waits for the quorum. `valid` / `invalid`: judged.
 * `error`: infrastructure failure told by the host. `lost`: its deadline passed. `aborted`: no longer wanted, or returned.
 */
export const TASK_STATES = [
  'in-progress',
  'reported',
  'valid',
  'invalid',
  'error',
  'lost',
  'aborted',
] as const;
export const taskState = z.enum(TASK_STATES).meta({ id: 'TaskState' });
export type TaskState = z.infer<typeof taskState>;

/** How a unit's computation ended. `infrastructure` is the host's own trouble and never counts against the app. */
export const OUTCOMES = ['ok', 'exit', 'trap', 'cycle-limit', 'output-limit', 'infrastructure'] as const;
export const outcome = z.enum(OUTCOMES).meta({ id: 'Outcome' });
export type Outcome = z.infer<typeof outcome>;

export const TRAP_KINDS = [
  'unreachable',
  'memory-out-of-bounds',
  'indirect-call-mismatch',
  'integer-divide-by-zero',
  'integer-overflow',
  'stack-exhausted',
] as const;
export const trapKind = z.enum(TRAP_KINDS).meta({ id: 'TrapKind' });
export type TrapKind = z.infer<typeof trapKind>;

export const HOST_KINDS = ['agent', 'browser'] as const;
export const hostKind = z.enum(HOST_KINDS).meta({ id: 'HostKind' });
export type HostKind = z.infer<typeof hostKind>;

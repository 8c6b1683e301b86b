import { z } from 'zod';

export const JOB_STATES = [
  'splitting',
  'running',
  'paused',
  'assimilating',
  'completed',
  'failed',
  'cancelled',
] as const;
export const jobState = z.enum(JOB_STATES).meta({
  id: 'JobState',
  description:
    '`splitting` → `running` ⇄ `paused` → `assimilating` → `completed`; `cancelled` and `failed` end it early.',
});
export type JobState = z.infer<typeof jobState>;

export const UNIT_STATES = ['open', 'awaiting-output', 'valid', 'failed', 'cancelled'] as const;
export const unitState = z.enum(UNIT_STATES).meta({
  id: 'UnitState',
  description: '`open` and `awaiting-output` can go on; the others are final.',
});
export type UnitState = z.infer<typeof unitState>;

export const TASK_STATES = [
  'in-progress',
  'reported',
  'valid',
  'invalid',
  'error',
  'lost',
  'aborted',
] as const;
export const taskState = z.enum(TASK_STATES).meta({
  id: 'TaskState',
  description:
    '`in-progress`: sent to a machine. `reported`: waits for the results of others. `valid` and `invalid`: judged. `error`: the machine could not compute it. `lost`: its deadline passed. `aborted`: no longer wanted, or given back.',
});
export type TaskState = z.infer<typeof taskState>;

export const OUTCOMES = ['ok', 'exit', 'trap', 'cycle-limit', 'output-limit', 'infrastructure'] as const;
export const outcome = z.enum(OUTCOMES).meta({
  id: 'Outcome',
  description:
    "How a unit's computation ended. `infrastructure` is the host's own trouble and never counts against the app.",
});
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

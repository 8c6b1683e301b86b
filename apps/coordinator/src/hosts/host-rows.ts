import { utcDay, allowanceLeft, initialAllowancePerDay, type AllowanceRules } from '@gleaner/domain';
import {
  hostKind,
  hostState,
  hostWishes,
  type Host,
  type HostPreferences,
  type HostWishes,
} from '@gleaner/protocol';
import { z } from 'zod';

const SILENT_AFTER_MS = 11 * 60 * 1000;

/** How boards call host `h` of account `a`: by the name that an owner has chosen, and nobody's machine by its own. */
export const PUBLIC_NAME = "CASE WHEN h.is_named AND NOT a.anonymous THEN h.name ELSE 'host ' || h.id END";

/** A host with its standing and what it computes right now. */
export const HOST_SELECT = `
  SELECT h.id, h.account_id, h.name, (SELECT ${PUBLIC_NAME} FROM account a WHERE a.id = h.account_id) AS public_name, h.kind, h.platform, h.cores, h.memory_mib, h.created_at, h.last_seen_at, h.held_reason,
         h.agent_version, h.wished_run, h.wished_preferences, h.wishes_version, h.said_phase, h.said_reason, h.said_at,
         coalesce(s.valid_tasks, 0) AS valid_tasks, coalesce(s.invalid_tasks, 0) AS invalid_tasks,
         coalesce(s.error_tasks, 0) AS error_tasks, greatest(s.lost_tasks, 0) AS lost_tasks,
         greatest(s.aborted_tasks, 0) AS aborted_tasks, s.allowance_per_day,
         coalesce(used.used, 0) AS allowance_used, used.day::text AS allowance_day,
         trunc(coalesce(s.cycles, 0))::text AS cycles,
         (SELECT count(*) FROM lease l WHERE l.host_id = h.id) AS in_progress
    FROM host h LEFT JOIN host_standing s ON s.host_id = h.id LEFT JOIN host_allowance used ON used.host_id = h.id`;

const count = z.coerce.number().int();

export const hostRow = z.object({
  id: z.string(),
  account_id: z.string(),
  name: z.string(),
  public_name: z.string(),
  kind: hostKind,
  platform: z.string(),
  cores: z.number(),
  memory_mib: z.number(),
  created_at: z.date(),
  last_seen_at: z.date().nullable(),
  held_reason: z.string().nullable(),
  valid_tasks: count,
  invalid_tasks: count,
  error_tasks: count,
  lost_tasks: count,
  aborted_tasks: count,
  allowance_per_day: z.number().nullable(),
  allowance_used: z.number(),
  allowance_day: z.string().nullable(),
  cycles: z.string(),
  in_progress: count,
  agent_version: z.string(),
  wished_run: hostWishes.shape.run,
  // Checked when it was stored; hosts check it again.
  wished_preferences: z.custom<HostPreferences>().nullable(),
  wishes_version: z.number(),
  said_phase: hostState.shape.phase.nullable(),
  said_reason: z.string().nullable(),
  said_at: z.date().nullable(),
});
export type HostRow = z.infer<typeof hostRow>;

export function presentHost(row: HostRow, rules: AllowanceRules, nowMs: number): Host {
  const today = utcDay(nowMs);
  const perDay = row.allowance_per_day ?? initialAllowancePerDay(row.cores, rules);
  const day = row.allowance_day ?? today;
  const { left, resetsAt } = allowanceLeft({ perDay, day, used: row.allowance_used }, nowMs);
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    publicName: row.public_name,
    kind: row.kind,
    platform: row.platform,
    cores: row.cores,
    memoryMiB: row.memory_mib,
    createdAt: row.created_at.toISOString(),
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
    inProgress: row.in_progress,
    validTasks: row.valid_tasks,
    invalidTasks: row.invalid_tasks,
    errorTasks: row.error_tasks,
    lostTasks: row.lost_tasks,
    abortedTasks: row.aborted_tasks,
    allowance: { perDay, usedToday: perDay - left, resetsAt: resetsAt.toISOString() },
    held: row.held_reason,
    credit: row.cycles,
    agentVersion: row.agent_version,
    wishes: wishesOf(row),
    state: stateOf(row, nowMs),
  };
}

/** Hosts call at least every five minutes. What a silent one said last is not how it is now. */
function stateOf(row: HostRow, nowMs: number): Host['state'] {
  const { said_phase: phase, said_reason: reason, said_at: at, last_seen_at: seen } = row;
  if (phase === null || reason === null || at === null || seen === null) return null;
  const isSilent = nowMs - seen.getTime() > SILENT_AFTER_MS && phase !== 'stopped';
  return isSilent ? null : { phase, reason, at: at.toISOString() };
}

export function wishesOf(
  row: Pick<HostRow, 'wished_run' | 'wished_preferences' | 'wishes_version'>,
): HostWishes {
  const { wished_run: run, wished_preferences: preferences, wishes_version: version } = row;
  return { run, version, ...(preferences !== null && { preferences }) };
}

import { z } from 'zod';
import { canonicalJson } from './canonical-json.js';
import { LIMITS } from './limits.js';
import { decimalString, identifier, sha256Hex, taskId } from './primitives.js';
import { outcome, trapKind } from './states.js';

/** One declared output of a unit. `base64` is present up to `LIMITS.inlineOutputBytes`; beyond, only the digest travels. */
export const reportedOutput = z
  .strictObject({
    name: identifier,
    size: z.number().int().min(0).max(LIMITS.unitOutputBytes),
    sha256: sha256Hex,
    base64: z
      .base64()
      .max(Math.ceil(LIMITS.inlineOutputBytes / 3) * 4)
      .optional()
      .describe(
        `Of outputs of up to ${LIMITS.inlineOutputBytes / 1024} KiB; larger ones are asked for once volunteers agree.`,
      ),
  })
  .meta({ id: 'ReportedOutput' });
export type ReportedOutput = z.infer<typeof reportedOutput>;

/** What a host reports for a task. The coordinator recomputes `digest` from the other fields. */
export const resultReport = z
  .strictObject({
    taskId,
    outcome,
    exitCode: z.number().int().min(0).max(0xffff_ffff).default(0),
    trapKind: trapKind.optional(),
    cycles: decimalString,
    outputs: z
      .array(reportedOutput)
      .max(LIMITS.outputsPerUnit)
      .default([])
      .describe(
        'With outcome `ok` all that the job declares, what was not written as empty; otherwise none that it does not declare.',
      ),
    digest: sha256Hex.describe(
      'SHA-256 of outcome, exit code, cycles and outputs as RFC 8785 JSON, or of the kind of a trap; the coordinator computes it again.',
    ),
    runtimeVersion: z.string().max(40),
    stderr: z.string().max(LIMITS.stderrBytes).optional(),
    message: z
      .string()
      .max(1000)
      .optional()
      .describe('Why it could not be computed; only with outcome `infrastructure`.'),
    cpuMs: z.number().min(0).max(1e12).optional(),
    wallMs: z.number().min(0).max(1e12).optional(),
  })
  .refine((r) => (r.outcome === 'trap') === (r.trapKind !== undefined), {
    error: 'is required with outcome "trap" and only there',
    path: ['trapKind'],
  })
  .meta({ id: 'ResultReport' });
export type ResultReport = z.infer<typeof resultReport>;

export interface DigestedResult {
  readonly outcome: ResultReport['outcome'];
  readonly exitCode: number;
  readonly trapKind?: ResultReport['trapKind'];
  readonly cycles: string;
  readonly outputs: ReadonlyArray<{ readonly name: string; readonly size: number; readonly sha256: string }>;
}

/**
 * The text whose SHA-256 is a result's digest: RFC 8785 JSON of outcome, exit code, cycles and outputs in byte order of
 * their names. A trap carries its kind instead of cycles and outputs, because its count may include instructions that
 * were charged ahead.
 */
export function resultDigestText(result: DigestedResult): string {
  if (result.outcome === 'trap') {
    return canonicalJson({ outcome: 'trap', trapKind: result.trapKind ?? 'unreachable' });
  }
  const outputs = result.outputs
    .map(({ name, size, sha256 }) => ({ name, sha256, size }))
    // Names are ASCII identifiers, for which code-unit order is byte order.
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  // Every report comes through here: with members in their canonical order the built-in writes the same text sevenfold faster.
  return JSON.stringify({
    cycles: result.cycles,
    exitCode: result.exitCode,
    outcome: result.outcome,
    outputs,
  });
}

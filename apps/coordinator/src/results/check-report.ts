import { hash } from 'node:crypto';
import { LIMITS, parseTaskId, resultDigestText, type ResultReport } from '@gleaner/protocol';
import type { CheckedReport, StoredOutput } from './report.statement.js';

/** Output bytes that are too many for the task's row and go to the blob store. */
export interface InlineBlob {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: Buffer;
}

export type ReportCheck =
  | { readonly ok: true; readonly report: CheckedReport; readonly blobs: readonly InlineBlob[] }
  | { readonly ok: false; readonly reason: string };

/** Recomputes every digest of a report. A report that contradicts itself is worth nothing, now or later. */
export function checkReport(report: ResultReport, accountId: string): ReportCheck {
  const { unitId, ordinal } = parseTaskId(report.taskId);
  if (ordinal >= LIMITS.tasksPerUnit) return refuse(`a unit has no task ${ordinal}`);
  const digest = sha256Hex(resultDigestText({ ...report, trapKind: report.trapKind }));
  if (digest !== report.digest) return refuse('the digest is not that of the reported result');
  if (new Set(report.outputs.map(({ name }) => name)).size < report.outputs.length) {
    return refuse('two outputs have the same name');
  }
  const stored: StoredOutput[] = [];
  const blobs: InlineBlob[] = [];
  let rowBytes = 0;
  let held = true;
  // What a host could not compute has none that anybody wants.
  const outputs = report.outcome === 'infrastructure' ? [] : report.outputs;
  for (const { name, size, sha256, base64 } of outputs) {
    if (base64 === undefined) {
      stored.push({ name, size, sha256 });
      // Nothing is all that an empty output has to hold.
      held &&= size === 0;
      continue;
    }
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.length !== size) return refuse(`output "${name}" has ${bytes.length} bytes, not ${size}`);
    if (sha256Hex(bytes) !== sha256) return refuse(`output "${name}" does not have the reported digest`);
    if (rowBytes + size <= LIMITS.rowOutputBytes) {
      rowBytes += size;
      stored.push({ name, size, sha256, base64 });
    } else {
      stored.push({ name, size, sha256 });
      blobs.push({ name, sha256, bytes });
    }
  }
  return {
    ok: true,
    blobs,
    report: {
      unitId,
      ordinal,
      accountId,
      outcome: report.outcome,
      exitCode: report.exitCode,
      trapKind: report.trapKind ?? null,
      cycles: report.cycles,
      digest,
      runtimeVersion: report.runtimeVersion,
      outputs: stored,
      outputsHeld: held,
      stderr: report.stderr ?? report.message ?? null,
      // Single precision, as it is stored: what is too small for that would fail everybody's reports of the batch.
      cpuMs: report.cpuMs === undefined ? null : Math.fround(report.cpuMs),
    },
  };
}

function refuse(reason: string): ReportCheck {
  return { ok: false, reason };
}

function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

import { base64Of } from './base64.js';
import { LIMITS, resultDigestText, type ReportedOutput, type ResultReport } from '@gleaner/protocol';
import { sha256HexOf, type UnitResult } from '@gleaner/sandbox';
import type { OutputToKeep } from './held-task.js';

export interface BuiltReport {
  readonly report: ResultReport;
  /** Outputs beyond `LIMITS.inlineOutputBytes`: only their digests travel with the report. */
  readonly outputsToKeep: readonly OutputToKeep[];
}

/** The report of a computed unit, with the digest that the coordinator recomputes. */
export function reportOf(taskId: string, runtimeVersion: string, result: UnitResult): BuiltReport {
  // A trap's outputs and count depend on where in its segment it happened: only its kind is agreed on.
  const outputs = result.outcome === 'trap' || result.outcome === 'infrastructure' ? [] : result.outputs;
  const fields = {
    outcome: result.outcome,
    // WASI exit codes are unsigned 32-bit numbers.
    exitCode: result.exitCode >>> 0,
    cycles: result.cycles.toString(),
    outputs: outputs.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    ...(result.outcome === 'trap' && { trapKind: result.trapKind ?? 'unreachable' }),
  };
  const report: ResultReport = {
    ...fields,
    taskId,
    outputs: outputs.map(reportedOutput),
    digest: sha256HexOf(new TextEncoder().encode(resultDigestText(fields))),
    runtimeVersion,
    cpuMs: result.cpuMs,
    wallMs: result.wallMs,
    ...(result.outcome !== 'ok' &&
      result.stderr !== '' && { stderr: result.stderr.slice(-LIMITS.stderrBytes) }),
    ...(result.outcome === 'infrastructure' && {
      message: (result.message ?? 'the sandbox gave no reason').slice(0, 1000),
    }),
  };
  const outputsToKeep = outputs.filter((output) => output.size > LIMITS.inlineOutputBytes);
  return { report, outputsToKeep };
}

/** The result of a unit that this host could not compute, through no fault of the app. */
export function infrastructureResult(message: string): UnitResult {
  return {
    outcome: 'infrastructure',
    exitCode: 0,
    trapKind: null,
    cycles: 0n,
    outputs: [],
    stderr: '',
    message,
    cpuMs: 0,
    wallMs: 0,
  };
}

function reportedOutput(output: UnitResult['outputs'][number]): ReportedOutput {
  const { name, size, sha256, bytes } = output;
  if (size > LIMITS.inlineOutputBytes) return { name, size, sha256 };
  return { name, size, sha256, base64: base64Of(bytes) };
}

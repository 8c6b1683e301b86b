import { createHash } from 'node:crypto';
import { LIMITS, resultDigestText, resultReport } from '@gleaner/protocol';
import type { UnitResult } from '@gleaner/sandbox/runner';
import { describe, expect, it } from 'vitest';
import { infrastructureResult, reportOf } from './result-report.js';

function anOutput(name: string, bytes: Uint8Array) {
  return { name, bytes, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function aResult(changes: Partial<UnitResult> = {}): UnitResult {
  return {
    outcome: 'ok',
    exitCode: 0,
    trapKind: null,
    cycles: 12_345_678_901_234_567n,
    outputs: [anOutput('stdout', Buffer.from('answer\n'))],
    stderr: '',
    message: null,
    cpuMs: 5,
    wallMs: 6,
    ...changes,
  };
}

function digestOf(report: Parameters<typeof resultDigestText>[0]): string {
  return createHash('sha256').update(resultDigestText(report)).digest('hex');
}

describe('reportOf', () => {
  it('carries small outputs and the digest that the coordinator recomputes', () => {
    const { report, outputsToKeep } = reportOf('7.0', 'gleaner-1', aResult());
    expect(resultReport.parse(report)).toEqual(report);
    expect(report.digest).toBe(digestOf(report));
    expect(report.cycles).toBe('12345678901234567');
    expect(Buffer.from(report.outputs[0]?.base64 ?? '', 'base64').toString()).toBe('answer\n');
    expect(outputsToKeep).toEqual([]);
  });

  it('keeps outputs back that are too large to travel, without changing the digest', () => {
    const large = anOutput('map', new Uint8Array(LIMITS.inlineOutputBytes + 1));
    const { report, outputsToKeep } = reportOf('7.0', 'gleaner-1', aResult({ outputs: [large] }));
    expect(report.outputs).toEqual([{ name: 'map', size: large.size, sha256: large.sha256 }]);
    expect(outputsToKeep.map(({ name }) => name)).toEqual(['map']);
    expect(report.digest).toBe(digestOf(report));
  });

  it('agrees on a trap by its kind alone', () => {
    const trap = { outcome: 'trap', trapKind: 'unreachable', stderr: 'abort: line 3' } as const;
    const early = reportOf('7.0', 'gleaner-1', aResult({ ...trap, cycles: 10n }));
    const late = reportOf('7.1', 'gleaner-1', aResult({ ...trap, cycles: 12n, outputs: [] }));
    expect(early.report.digest).toBe(late.report.digest);
    expect(resultReport.parse(early.report)).toMatchObject({
      trapKind: 'unreachable',
      stderr: 'abort: line 3',
    });
  });

  it('tells exit codes as WASI counts them, without a sign', () => {
    const { report } = reportOf('7.0', 'gleaner-1', aResult({ outcome: 'exit', exitCode: -1 }));
    expect(resultReport.parse(report).exitCode).toBe(4_294_967_295);
    expect(report.digest).toBe(digestOf(report));
  });

  it('says why the host could not compute, in bounded words', () => {
    const { report } = reportOf('7.0', 'gleaner-1', infrastructureResult('x'.repeat(5000)));
    expect(resultReport.parse(report).message).toHaveLength(1000);
  });

  it('keeps only the end of a long stderr', () => {
    const { report } = reportOf(
      '7.0',
      'gleaner-1',
      aResult({ outcome: 'exit', exitCode: 3, stderr: `${'a'.repeat(5000)}end` }),
    );
    expect(report.stderr).toHaveLength(LIMITS.stderrBytes);
    expect(report.stderr?.endsWith('end')).toBe(true);
  });
});

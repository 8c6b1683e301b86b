import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import { resultDigestText, resultReport, type DigestedResult } from './result.js';

const anOutput = fc.record({
  name: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/),
  size: fc.nat(),
  sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
});
const aResult = fc.record({
  outcome: fc.constantFrom('ok' as const, 'exit' as const, 'cycle-limit' as const),
  exitCode: fc.nat(255),
  cycles: fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String),
  outputs: fc.uniqueArray(anOutput, { selector: ({ name }) => name, maxLength: 5 }),
});

describe('resultDigestText', () => {
  it('is RFC 8785 text with outputs in byte order of their names', () => {
    const output = (name: string) => ({ name, size: 1, sha256: 'ab' });
    const result = {
      outcome: 'ok',
      exitCode: 0,
      cycles: '12',
      outputs: [output('stdout'), output('Z'), output('a')],
    } as const;
    expect(resultDigestText(result)).toBe(
      '{"cycles":"12","exitCode":0,"outcome":"ok","outputs":[{"name":"Z","sha256":"ab","size":1},{"name":"a","sha256":"ab","size":1},{"name":"stdout","sha256":"ab","size":1}]}',
    );
  });

  it('is what canonical JSON makes of any result', () => {
    fc.assert(
      fc.property(aResult, (result) => {
        const outputs = result.outputs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(resultDigestText(result)).toBe(canonicalJson({ ...result, outputs }));
      }),
    );
  });

  it('does not depend on the order of outputs, nor on fields that are not part of the result', () => {
    fc.assert(
      fc.property(aResult, (result) => {
        const decorated = result.outputs.toReversed().map((output) => ({ ...output, base64: 'AA==' }));
        expect(resultDigestText({ ...result, outputs: decorated })).toBe(resultDigestText(result));
      }),
    );
  });

  it('tells any two different results apart', () => {
    fc.assert(
      fc.property(aResult, aResult, (a, b) => {
        const sameText = resultDigestText(a) === resultDigestText(b);
        expect(sameText).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
      }),
    );
  });

  it('of a trap carries its kind and nothing that may have been charged ahead', () => {
    const trap = (cycles: string): DigestedResult => ({
      outcome: 'trap',
      trapKind: 'unreachable',
      exitCode: 0,
      cycles,
      outputs: [],
    });
    expect(resultDigestText(trap('1'))).toBe(resultDigestText(trap('2')));
    expect(resultDigestText(trap('1'))).toBe('{"outcome":"trap","trapKind":"unreachable"}');
  });
});

describe('resultReport', () => {
  const report = { taskId: '1.0', outcome: 'ok', cycles: '1', digest: '0'.repeat(64), runtimeVersion: '1' };

  it('asks for the trap kind with traps and only there', () => {
    expect(resultReport.safeParse(report).success).toBe(true);
    expect(resultReport.safeParse({ ...report, outcome: 'trap' }).error?.issues[0]?.path).toEqual([
      'trapKind',
    ]);
    expect(resultReport.safeParse({ ...report, trapKind: 'unreachable' }).success).toBe(false);
    expect(resultReport.safeParse({ ...report, outcome: 'trap', trapKind: 'unreachable' }).success).toBe(
      true,
    );
  });

  it('refuses outputs beyond what may travel inline', () => {
    const output = (bytes: number) => ({
      name: 'stdout',
      size: bytes,
      sha256: '0'.repeat(64),
      base64: Buffer.alloc(bytes).toString('base64'),
    });
    expect(resultReport.safeParse({ ...report, outputs: [output(64 * 1024)] }).success).toBe(true);
    expect(resultReport.safeParse({ ...report, outputs: [output(64 * 1024 + 3)] }).success).toBe(false);
  });
});

function sorted(result: DigestedResult): DigestedResult {
  return { ...result, outputs: [...result.outputs].sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

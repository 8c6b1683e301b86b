import type { UnitResult } from '@gleaner/sandbox/runner';
import { describe, expect, it } from 'vitest';
import { failure } from './unit-check.js';

const SILENT: UnitResult = {
  outcome: 'ok',
  exitCode: 0,
  trapKind: null,
  cycles: 0n,
  outputs: [],
  stderr: '',
  message: null,
  cpuMs: 0,
  wallMs: 0,
};

describe('why a unit gave no result', () => {
  it.each([
    [
      { outcome: 'cycle-limit', message: 'the unit used all its cycles' },
      'cycle-limit; the unit used all its cycles: cut smaller units, or raise limits.maxCycles in the job file',
    ],
    [
      { outcome: 'output-limit', message: 'the unit wrote more output than its limit' },
      'output-limit; the unit wrote more output than its limit: cut smaller units, or raise limits.outputBytes in the job file',
    ],
    [{ outcome: 'trap', trapKind: 'unreachable', message: 'unreachable' }, 'unreachable'],
    [
      { outcome: 'trap', trapKind: 'unreachable', message: 'unreachable; its memory has 4 of the 4 MiB' },
      'unreachable; its memory has 4 of the 4 MiB',
    ],
    [
      { outcome: 'exit', exitCode: 2, stderr: 'usage: FROM TO\n' },
      'exit code 2; its stderr ends with:\nusage: FROM TO',
    ],
  ] as const)('of %j says what happened and what to do', (ending, sentence) => {
    expect(failure({ ...SILENT, ...ending })).toBe(sentence);
  });

  it('is nothing where it gave one', () => {
    expect(failure(SILENT)).toBeNull();
  });
});

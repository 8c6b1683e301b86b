import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listWasiPrograms, readWasiCase } from './wasi-cases.js';
import { checkWasiCase } from './wasi-check.js';

const programs = await listWasiPrograms(join(import.meta.dirname, 'wasi-cases'));
const cases = await Promise.all(programs.map(readWasiCase));

describe('WASI programs on rewritten modules', () => {
  it.each(cases.map((wasiCase) => [wasiCase.name, wasiCase] as const))(
    '%s passes',
    async (_name, wasiCase) => {
      expect(await checkWasiCase(wasiCase)).toEqual([]);
    },
  );

  it('are told apart from what was expected of them', async () => {
    const [first] = cases;
    if (first === undefined) throw new Error('there are no cases');
    const failures = await checkWasiCase({
      ...first,
      expected: { ...first.expected, exit_code: 9, stdout: 'other' },
    });
    expect(failures.slice(0, 2)).toEqual([
      `exit code ${first.expected.exit_code}, not 9`,
      expect.stringMatching(/^stdout ".*", not "other"$/),
    ]);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertScript } from './spec-suite/convert.js';
import { runScript } from './spec-suite/run-script.js';
import { topLevelForms } from './spec-suite/top-level-forms.js';

const cases = join(import.meta.dirname, 'spec-cases/metered.wast');
const hasWabt = spawnSync('wast2json', ['--version']).status === 0;
if (!hasWabt) console.warn('SKIPPED: spec cases need wast2json (apt-get install wabt)');

describe('splitting a script into forms', () => {
  it('ignores parentheses in strings and comments, and counts lines', () => {
    const forms = topLevelForms('(module ")" (; ( ;) ;; (\n)\n(assert_return (invoke "a\\"("))');
    expect(forms.map(({ keyword, firstLine, lastLine }) => [keyword, firstLine, lastLine])).toEqual([
      ['module', 1, 2],
      ['assert_return', 3, 3],
    ]);
  });
});

describe.skipIf(!hasWabt)('the conformance harness', () => {
  let directory: string;
  beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'gleaner-spec-'))));
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each([
    { metering: true, depth: true, nan: true },
    { metering: false, depth: true, nan: true },
  ])('passes the cases on modules rewritten with %o', async (options) => {
    const { script, unreadable } = await convertScript(cases, directory);
    if (script === null) throw new Error('wabt does not read the cases');
    const report = runScript(script, directory, { ...options, profile: 'conformance' });
    expect({ unreadable, failures: report.failures, excluded: [...report.excluded] }).toEqual({
      unreadable: [],
      failures: [],
      excluded: [['import-module', 1]],
    });
    expect(report.passed).toBe(31);
  });

  it('fails an assertion that does not hold', async () => {
    const { script } = await convertScript(cases, directory);
    if (script === null) throw new Error('wabt does not read the cases');
    const falsified = {
      ...script,
      commands: script.commands.map((command) =>
        command.type === 'assert_return' && command.action.field === 'sum'
          ? { ...command, expected: [{ type: 'i32', value: '5051' } as const] }
          : command,
      ),
    };
    expect(runScript(falsified, directory, { profile: 'conformance' }).failures).toHaveLength(1);
  });
});

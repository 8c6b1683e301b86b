import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertScript } from './spec-suite/convert.js';
import { runScript } from './spec-suite/run-script.js';
import type { Script } from './spec-suite/script.js';
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
      // A module that nobody registered; a call of a module that grows a table, and the module that this may have changed.
      excluded: [
        ['import-of-excluded-module', 1],
        ['table-grow', 2],
      ],
    });
    expect(report.passed).toBe(34);
  });

  it('keeps what speaks of other modules when wabt cannot read one', async () => {
    const file = join(directory, 'newer.wast');
    await writeFile(
      file,
      `(module $old (func (export "one") (result i32) (i32.const 1)))
       (module (func (export "new") (result i32) (instruction.of.tomorrow)))
       (assert_return (invoke "new") (i32.const 2))
       (assert_return (invoke $old "one") (i32.const 1))
       (assert_invalid (module (func (result i32))) "type mismatch")`,
    );
    const { script, unreadable, forms, complaint } = await convertScript(file, directory);
    if (script === null) throw new Error('wabt reads nothing of it');
    expect(runScript(script, directory, { profile: 'conformance' })).toMatchObject({
      passed: 2,
      failures: [],
    });
    expect(unreadable.map(({ keyword }) => keyword)).toEqual(['module', 'assert_return']);
    expect({ forms, complaint }).toEqual({
      forms: 5,
      complaint: expect.stringContaining('tomorrow') as string,
    });
  });

  it('does not count commands that expect what the profile refuses, or that it does not know', async () => {
    await writeFile(join(directory, 'throws.wasm'), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 13, 1, 0));
    const command = (type: string) => ({ type, line: 2, action: { type: 'invoke', field: 'f' } });
    const script = {
      source_filename: 'throws.wast',
      commands: [
        { type: 'module', line: 1, filename: 'throws.wasm' },
        command('assert_exception'),
        command('assert_of_tomorrow'),
      ],
    };
    // Commands come from wabt's JSON, whatever its version.
    const report = runScript(script as unknown as Script, directory, { profile: 'conformance' });
    expect({ ...report, excluded: [...report.excluded] }).toMatchObject({
      passed: 0,
      failures: [],
      excluded: [
        ['unknown-section', 1],
        ['unknown-command', 1],
      ],
    });
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

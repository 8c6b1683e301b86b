/**
 * `npm run conformance:spec -- DIR`: runs the assertions of every `.wast` file in DIR (the WebAssembly specification's
 * suite, or a file of it) on modules that have been through admission. Needs Debian's `wabt`. Prints a line per file,
 * the assertions outside the profile by rule, differing NaN payloads apart, and ends with `N passed, N failed`.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { convertScript } from './spec-suite/convert.js';
import { type ScriptReport, runScript } from './spec-suite/run-script.js';
import { readCommandLine, refuse } from '../support/command-line.js';

const SHOWN_FAILURES = 5;

const command = {
  start: 'npm run conformance:spec',
  purpose: 'Runs the assertions of every .wast file in DIR on modules that have been through admission.',
  positional: 'DIR',
  options: {
    'no-metering': { type: 'boolean', default: false, help: 'without counting cycles' },
    'no-depth': { type: 'boolean', default: false, help: 'without the bound of calls' },
    'no-nan': { type: 'boolean', default: false, help: 'without canonical NaNs' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;
const { values, positionals } = readCommandLine(command);
const [root] = positionals;
if (root === undefined) refuse(command, 'DIR is missing.');
process.exitCode = await runSuite(resolve(process.env['INIT_CWD'] ?? '.', root));

/** `unread`: what wabt made nothing of, in words. */
type FileReport = ScriptReport & { readonly unread: string | null };

async function runSuite(directory: string): Promise<number> {
  const files = await wastFiles(directory);
  const total = { passed: 0, failed: 0, outOfProfile: 0, nanPayloads: 0, refusedByProfile: 0 };
  const perFile: unknown[] = [];
  for (const file of files) {
    const name = relative(directory, file) || file;
    const report = await runFile(file);
    const outOfProfile = [...report.excluded.values()].reduce((sum, count) => sum + count, 0);
    total.passed += report.passed;
    total.failed += report.failures.length;
    total.outOfProfile += outOfProfile;
    total.nanPayloads += report.nanPayloads;
    total.refusedByProfile += report.refusedByProfile;
    if (values.json) perFile.push({ name, ...report, excluded: Object.fromEntries(report.excluded) });
    else print(name, report, outOfProfile);
  }
  if (values.json) console.log(JSON.stringify({ ...total, files: perFile }));
  else
    console.log(
      `${total.outOfProfile} out of the profile; counted as passed: ${total.nanPayloads} with another NaN payload, ` +
        `${total.refusedByProfile} modules that the profile refuses and the engine would take`,
    );
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && files.length > 0 ? 0 : 1;
}

async function runFile(file: string): Promise<FileReport> {
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-spec-'));
  try {
    const { script, unreadable, forms, complaint } = await convertScript(file, directory);
    const options = {
      profile: 'conformance',
      metering: !values['no-metering'],
      depth: !values['no-depth'],
      nan: !values['no-nan'],
    } as const;
    const report: ScriptReport =
      script === null
        ? { passed: 0, failures: [], nanPayloads: 0, refusedByProfile: 0, excluded: new Map() }
        : runScript(script, directory, options);
    const assertions = unreadable.filter(({ keyword }) => keyword.startsWith('assert_')).length;
    if (assertions > 0) report.excluded.set('newer-than-wabt', assertions);
    const unread =
      complaint === null ? null : `wabt cannot read ${unreadable.length} of ${forms} forms: ${complaint}`;
    return { ...report, unread };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function print(name: string, report: FileReport, outOfProfile: number): void {
  const { passed, failures, nanPayloads, excluded, unread } = report;
  const nan = nanPayloads > 0 ? `, ${nanPayloads} NaN payloads` : '';
  console.log(
    `${name}: ${passed} passed, ${failures.length} failed, ${outOfProfile} out of the profile${nan}`,
  );
  if (unread !== null) console.log(`  ${unread}`);
  for (const [rule, count] of excluded) console.log(`  excluded by ${rule}: ${count}`);
  for (const { line, message } of failures.slice(0, SHOWN_FAILURES))
    console.log(`  FAILED line ${line}: ${message}`);
}

async function wastFiles(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.wast'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

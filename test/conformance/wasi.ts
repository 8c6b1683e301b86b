/**
 * `npm run conformance:wasi -- DIR`: runs every NAME.wasm of a directory on its rewritten module and compares exit code,
 * stdout and stderr with NAME.json. Ends with `N passed, N failed`; the exit code is 1 where something failed. Components,
 * which are programs for later versions of WASI, are counted apart.
 */
import { resolve } from 'node:path';
import { readCommandLine, refuse } from '../support/command-line.js';
import { isComponent, listWasiPrograms, readWasiCase } from './wasi-cases.js';
import { checkWasiCase } from './wasi-check.js';

const command = {
  start: 'npm run conformance:wasi',
  purpose: 'Runs every NAME.wasm of DIR on its rewritten module and compares with NAME.json.',
  positional: 'DIR',
  options: {},
} as const;
const [directory] = readCommandLine(command).positionals;
if (directory === undefined) refuse(command, 'DIR is missing.');
let passed = 0;
let failed = 0;
let components = 0;
for (const program of await listWasiPrograms(resolve(process.env['INIT_CWD'] ?? '.', directory))) {
  if (await isComponent(program)) {
    components++;
    continue;
  }
  const failures = await failuresOf(program);
  if (failures.length === 0) {
    passed++;
  } else {
    failed++;
    console.log(`FAILED ${program}`);
    for (const failure of failures) console.log(`  ${failure.replaceAll('\n', '\n  ')}`);
  }
}
if (components > 0) console.log(`${components} are components, not programs of preview 1`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** What cannot be read or run fails alone. */
async function failuresOf(program: string): Promise<string[]> {
  try {
    return await checkWasiCase(await readWasiCase(program));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

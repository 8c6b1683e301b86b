import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { admitModule } from '@gleaner/sandbox/admission';
import { InProcessRunner, type RootEntry } from '@gleaner/sandbox/runner';
import type { WasiCase } from './wasi-cases.js';

const MAX_CYCLES = 10n ** 11n;
const MEMORY_MIB = 256;
const OUTPUT_BYTES = 16 * 1024 * 1024;
const STDERR_BYTES = 1024 * 1024;

/** Runs a program on its rewritten module; what differs from its expectation, in words. */
export async function checkWasiCase({ path, expected, folders }: WasiCase): Promise<string[]> {
  const admission = admitModule(new Uint8Array(await readFile(path)));
  if (!admission.admitted) {
    return admission.errors.map(({ rule, offset, message }) => `refused: ${rule} at ${offset}: ${message}`);
  }
  const result = new InProcessRunner(admission.module).run({
    appName: basename(path),
    args: expected.args,
    env: expected.env,
    inputs: {},
    outputs: ['stdout'],
    limits: { maxCycles: MAX_CYCLES, memoryMiB: MEMORY_MIB, outputBytes: OUTPUT_BYTES, wallMs: Infinity },
    seed: '00'.repeat(32),
    stderrBytes: STDERR_BYTES,
    root: folders.length === 0 ? null : await readFolders(folders),
  });
  const stdout = new TextDecoder('utf-8', { ignoreBOM: true }).decode(result.outputs[0]?.bytes);
  const failures: string[] = [];
  if (result.outcome !== 'ok' && result.outcome !== 'exit') {
    failures.push(`ended with ${result.outcome}: ${result.message}`);
  } else if (result.exitCode !== expected.exit_code) {
    failures.push(`exit code ${result.exitCode}, not ${expected.exit_code}`);
  }
  if (typeof expected.stdout === 'string' && stdout !== expected.stdout) {
    failures.push(`stdout ${JSON.stringify(stdout)}, not ${JSON.stringify(expected.stdout)}`);
  }
  if (typeof expected.stderr === 'string' && result.stderr !== expected.stderr) {
    failures.push(`stderr ${JSON.stringify(result.stderr)}, not ${JSON.stringify(expected.stderr)}`);
  }
  if (failures.length > 0 && result.stderr !== '') failures.push(`its stderr: ${result.stderr.trim()}`);
  return failures;
}

async function readFolders(folders: WasiCase['folders']): Promise<RootEntry[]> {
  const entries = folders.map(async ({ name, path }): Promise<RootEntry[]> => {
    const content = await readFolder(path, name);
    return name === '' ? content : [[name, null], ...content];
  });
  return (await Promise.all(entries)).flat();
}

/** A folder's files, directories and symbolic links, below the name. */
async function readFolder(folder: string, name: string): Promise<RootEntry[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile() || entry.isDirectory() || entry.isSymbolicLink())
      .map(async (entry): Promise<RootEntry> => {
        const path = join(entry.parentPath, entry.name);
        const inside = join(name, relative(folder, path)).split(sep).join('/');
        if (entry.isSymbolicLink()) return [inside, { target: await readlink(path) }];
        return [inside, entry.isFile() ? new Uint8Array(await readFile(path)) : null];
      }),
  );
}

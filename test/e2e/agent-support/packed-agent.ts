import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
// From the sources in tests, from test/dist in benchmarks.
const toRoot = import.meta.url.endsWith('.ts') ? '../../..' : '../../../..';
const ROOT = fileURLToPath(new URL(toRoot, import.meta.url));

/** Packs the agent as volunteers get it, into this directory; resolves with the tarball's path. */
export async function packAgent(directory: string): Promise<string> {
  const pack = join(ROOT, 'scripts', 'pack-agent.mjs');
  const { stdout } = await run(process.execPath, [pack, directory], { cwd: ROOT });
  return stdout.trim();
}

/** Packs and unpacks it; resolves with the command that starts `gleaner agent` without an installation. */
export async function unpackedAgent(directory: string): Promise<readonly string[]> {
  await run('tar', ['-xzf', await packAgent(directory), '-C', directory]);
  return [process.execPath, join(directory, 'package', 'dist', 'gleaner.js'), 'agent'];
}

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Brings the AssemblyScript examples up to date, so that a test never runs yesterday's module. */
export function buildExamples(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../build.mjs', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

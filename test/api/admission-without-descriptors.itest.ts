import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Few, so that they are soon all open. */
const DESCRIPTORS = 64;

const RUN_ADMISSION = new URL('../../apps/coordinator/dist/apps/run-admission.js', import.meta.url);
const PROGRAM = `
  import { openSync } from 'node:fs';
  import { runAdmission } from ${JSON.stringify(RUN_ADMISSION.href)};
  const openAll = () => { for (;;) openSync('/dev/null'); };
  try { openAll(); } catch {}
  // What nobody handles ends a coordinator, and this program with it.
  await runAdmission(new Uint8Array(8), { signal: new AbortController().signal }).catch(({ code }) => console.log(code));
`;

it('a module that comes when no descriptor is left to check it with is told to come again', async () => {
  const { stdout } = await promisify(execFile)(
    '/bin/sh',
    [
      '-c',
      `ulimit -n ${DESCRIPTORS} && exec "$0" --input-type=module --eval "$1"`,
      process.execPath,
      PROGRAM,
    ],
    { cwd: fileURLToPath(new URL('.', import.meta.url)) },
  );
  expect(stdout).toBe('unavailable\n');
});

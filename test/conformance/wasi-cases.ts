import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';

/** What a program expects and what is expected of it; unknown fields belong to other harnesses. */
const expectation = z.object({
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  /** A folder beside the program that becomes its `/`. */
  root: z.string().optional(),
  exit_code: z.number().int().default(0),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
});

export interface WasiCase {
  readonly name: string;
  readonly path: string;
  readonly expected: z.infer<typeof expectation>;
  /** Directory of the folder that `root` names. */
  readonly rootPath: string | null;
}

/** The programs of a directory by name. */
export async function readWasiCases(directory: string): Promise<WasiCase[]> {
  const files = (await readdir(directory)).sort();
  const cases: WasiCase[] = [];
  for (const file of files.filter((name) => name.endsWith('.wasm'))) {
    const name = basename(file, '.wasm');
    const description = `${name}.json`;
    const json: unknown = files.includes(description)
      ? JSON.parse(await readFile(join(directory, description), 'utf8'))
      : {};
    const expected = expectation.parse(json);
    const rootPath = expected.root === undefined ? null : join(directory, expected.root);
    cases.push({ name, path: join(directory, file), expected, rootPath });
  }
  return cases;
}

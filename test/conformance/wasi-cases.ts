import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';

const SUFFIX = '.wasm';

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

/** Paths of the programs in a directory, by name. */
export async function listWasiPrograms(directory: string): Promise<string[]> {
  const files = await readdir(directory);
  const programs = files.filter((file) => file.endsWith(SUFFIX)).sort();
  return programs.map((file) => join(directory, file));
}

/** A program with the expectation beside it, if there is one. */
export async function readWasiCase(path: string): Promise<WasiCase> {
  const name = basename(path, SUFFIX);
  const description = join(dirname(path), `${name}.json`);
  const json: unknown = existsSync(description) ? JSON.parse(await readFile(description, 'utf8')) : {};
  const expected = expectation.parse(json);
  const rootPath = expected.root === undefined ? null : join(dirname(path), expected.root);
  return { name, path, expected, rootPath };
}

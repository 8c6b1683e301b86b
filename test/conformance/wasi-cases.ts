import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';

const SUFFIX = '.wasm';

/** What a program expects and what is expected of it; unknown fields belong to other harnesses. */
const description = z.object({
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  /** A folder beside the program that becomes its `/`. */
  root: z.string().nullish(),
  /** Folders beside the program that lie in its `/` under their names: how older versions of the suite say it. */
  dirs: z.array(z.string()).default([]),
  exit_code: z.number().int().default(0),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
});

/** The suite's newer way to say the same: steps of a conversation, of which a command has these. */
const operation = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run'),
    ...description.pick({ args: true, env: true, root: true, dirs: true }).shape,
  }),
  z.object({ type: z.literal('wait'), ...description.pick({ exit_code: true }).shape }),
  z.object({
    type: z.literal('read'),
    id: z.enum(['stdout', 'stderr']).default('stdout'),
    payload: z.string(),
  }),
]);
const conversation = z.object({ operations: z.array(operation) });

export interface WasiCase {
  readonly name: string;
  readonly path: string;
  readonly expected: Omit<z.infer<typeof description>, 'root' | 'dirs'>;
  /** Folders to copy into the program's `/`, below a name or (`''`) right there. */
  readonly folders: ReadonlyArray<{ readonly name: string; readonly path: string }>;
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
  const directory = dirname(path);
  const file = join(directory, `${name}.json`);
  const json: unknown = existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : {};
  const { root, dirs, ...expected } = parseDescription(json);
  const folders = dirs.map((folder) => ({ name: folder, path: join(directory, folder) }));
  if (typeof root === 'string') folders.unshift({ name: '', path: join(directory, root) });
  return { name, path, expected, folders };
}

function parseDescription(json: unknown): z.infer<typeof description> {
  const { success, data } = conversation.safeParse(json);
  if (!success) return description.parse(json);
  const said = data.operations.map((step) => {
    if (step.type === 'read') return { [step.id]: step.payload };
    const { type: _, ...rest } = step;
    return rest;
  });
  return description.parse(Object.assign({}, ...said));
}

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';

const SUFFIX = '.wasm';

/** Where a description says nothing it may also say null. */
function orDefault<T extends z.ZodType>(schema: T, value: z.output<T>) {
  return schema.nullish().transform((said): z.output<T> => said ?? value);
}

/** What a program expects and what is expected of it; unknown fields belong to other harnesses. */
const description = z.object({
  args: orDefault(z.array(z.string()), []),
  env: orDefault(z.record(z.string(), z.string()), {}),
  /** A folder beside the program that becomes its `/`. */
  root: z.string().nullish(),
  /** Folders beside the program that lie in its `/` under their names: how older versions of the suite say it. */
  dirs: orDefault(z.array(z.string()), []),
  exit_code: orDefault(z.number().int(), 0),
  stdout: z.string().nullish(),
  stderr: z.string().nullish(),
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

/** Paths of the programs in a directory and those below it, by path. */
export async function listWasiPrograms(directory: string): Promise<string[]> {
  const files = await readdir(directory, { recursive: true });
  const programs = files.filter((file) => file.endsWith(SUFFIX)).sort();
  return programs.map((file) => join(directory, file));
}

/** What follows the magic number where a file holds a component instead of a module. */
const COMPONENT_VERSION = Buffer.of(0x0d, 0, 1, 0);

export async function isComponent(path: string): Promise<boolean> {
  return (await readFile(path)).subarray(4, 8).equals(COMPONENT_VERSION);
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

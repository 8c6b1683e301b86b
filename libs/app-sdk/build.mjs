#!/usr/bin/env node
/**
 * Compiles an AssemblyScript app for the sandbox:
 *   node build.mjs ENTRY.ts -o APP.wasm
 * or `buildApp({ entry, outFile })` from a build script. An app that exports `gleaner_step` becomes a stepping app; any
 * other becomes a command whose top level is the program. A build is skipped when every file that the compiler read for
 * the module is as it was; `OUT.stamp` beside the module remembers them.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Flags that every app needs. Asserts stay: they end a unit with a reason instead of a wrong result. */
const COMPILER_FLAGS = [
  ['--optimizeLevel', '3'],
  ['--shrinkLevel', '0'],
  // Units are short-lived and allocate once; a collector would add pauses and mutable state to every snapshot.
  ['--runtime', 'stub'],
  ['--enable', 'simd'],
  // By default these three are imports from `env`, which the sandbox does not have.
  ['--use', 'abort=gleanerAbort'],
  ['--use', 'seed=gleanerSeed'],
  ['--use', 'trace=gleanerTrace'],
].flat();

/**
 * @param {{ entry: string, outFile: string, flags?: readonly string[] }} app paths of the source and of the module;
 *   `flags` are passed on to the compiler
 * @returns {Promise<{ outFile: string, isRebuilt: boolean }>}
 * @throws {Error} with the compiler's messages where the app does not compile
 */
export async function buildApp({ entry, outFile, flags = [] }) {
  const source = readIfPresent(entry);
  if (source === undefined) throw new BuildError(`${entry} cannot be read`);
  const start = /export\s+function\s+gleaner_step\b/.test(source) ? '_initialize' : '_start';
  const options = [...COMPILER_FLAGS, '--exportStart', start, ...flags];
  const folder = path.dirname(outFile);
  const compiler = createRequire(import.meta.url)('assemblyscript/package.json').version;
  const recipe = hashOf(JSON.stringify([compiler, path.relative(folder, entry), options]));
  const stampFile = `${outFile}.stamp`;
  if (readIfPresent(outFile) !== undefined && isFresh(readIfPresent(stampFile), recipe, folder))
    return { outFile, isRebuilt: false };

  // Loaded only when needed: the compiler takes most of a second to start.
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(folder, { recursive: true });
  const unfinished = `${outFile}.${process.pid}.tmp`;
  const paths = [entry, '--outFile', unfinished].map((text) =>
    path.isAbsolute(text) ? path.relative(process.cwd(), text) : text,
  );
  let messages = '';
  const output = { write: (text) => void (messages += text) };
  /** @type {Record<string, string | null>} files that were looked for, and the hash of each that is there */
  const sources = {};
  const readFile = (name, base) => {
    const file = path.resolve(base, name);
    const content = readIfPresent(file);
    sources[path.relative(folder, file)] = hashOf(content);
    return content ?? null;
  };
  const { error } = await asc.main([...paths, ...options], { stdout: output, stderr: output, readFile });
  if (error) throw new BuildError(`${entry} does not compile\n${messages}`, { cause: error });
  // Nobody ever sees half a module, even when two builds run at the same time.
  renameSync(unfinished, outFile);
  writeFileSync(stampFile, `${JSON.stringify({ recipe, sources })}\n`);
  return { outFile, isRebuilt: true };
}

/** What the author of an app has to change; told without a stack. */
class BuildError extends Error {
  name = 'BuildError';
}

/** Whether a module was made by the same recipe from files that are as they were then, wherever the compiler found them. */
function isFresh(stamp, recipe, folder) {
  try {
    const { recipe: earlier, sources } = JSON.parse(stamp ?? '');
    const isSame = ([file, hash]) => hashOf(readIfPresent(path.resolve(folder, file))) === hash;
    return earlier === recipe && Object.entries(sources).every(isSame);
  } catch {
    return false;
  }
}

/** Null for a file that is not there. */
function hashOf(content) {
  return content === undefined ? null : createHash('sha256').update(content).digest('hex');
}

function readIfPresent(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await runCommand(process.argv.slice(2));
}

/** @returns {Promise<number>} exit code: 0 built, 1 does not compile, 2 usage */
async function runCommand(args) {
  const { entry, out, help } = readCommandLine(args);
  if (!entry || !out || help) {
    console.error('usage: gleaner-build-app ENTRY.ts -o APP.wasm');
    return help ? 0 : 2;
  }
  try {
    const { outFile, isRebuilt } = await buildApp({ entry: path.resolve(entry), outFile: path.resolve(out) });
    console.error(`${outFile} ${isRebuilt ? 'built' : 'is up to date'}`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message.trimEnd());
    return 1;
  }
}

/** Nothing where the line is not understood. */
function readCommandLine(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { out: { type: 'string', short: 'o' }, help: { type: 'boolean', short: 'h' } },
    });
    return positionals.length > 1 ? {} : { entry: positionals[0], ...values };
  } catch {
    return {};
  }
}

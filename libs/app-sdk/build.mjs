#!/usr/bin/env node
/**
 * Compiles an AssemblyScript app for the sandbox:
 *   node build.mjs ENTRY.ts -o APP.wasm
 * or `buildApp({ entry, outFile })` from a build script. An app that exports `gleaner_step` becomes a stepping app; any
 * other becomes a command whose top level is the program. A build whose sources have not changed is skipped.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const SDK_DIRECTORY = path.dirname(fileURLToPath(import.meta.url));

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
  const source = readFileSync(entry, 'utf8');
  const start = /export\s+function\s+gleaner_step\b/.test(source) ? '_initialize' : '_start';
  const options = [...COMPILER_FLAGS, '--exportStart', start, ...flags];
  const stamp = `${hashSources(path.dirname(entry), options)}\n`;
  const stampFile = `${outFile}.stamp`;
  if (readIfPresent(stampFile) === stamp && readIfPresent(outFile) !== undefined)
    return { outFile, isRebuilt: false };

  // Loaded only when needed: the compiler takes most of a second to start.
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(path.dirname(outFile), { recursive: true });
  const unfinished = `${outFile}.${process.pid}.tmp`;
  const paths = [entry, '--outFile', unfinished].map((text) =>
    path.isAbsolute(text) ? path.relative(process.cwd(), text) : text,
  );
  let messages = '';
  const output = { write: (text) => void (messages += text) };
  const { error } = await asc.main([...paths, ...options], { stdout: output, stderr: output });
  if (error) throw new Error(`${entry} does not compile\n${messages}`, { cause: error });
  // Nobody ever sees half a module, even when two builds run at the same time.
  renameSync(unfinished, outFile);
  writeFileSync(stampFile, stamp);
  return { outFile, isRebuilt: true };
}

/** Hash of everything that the module depends on: the app's sources, this SDK, the flags and the compiler. */
function hashSources(appDirectory, options) {
  const compiler = createRequire(import.meta.url)('assemblyscript/package.json').version;
  const hash = createHash('sha256').update(JSON.stringify([compiler, options]));
  for (const directory of [appDirectory, path.join(SDK_DIRECTORY, 'assembly')]) {
    for (const name of readdirSync(directory, { recursive: true }).sort()) {
      if (!name.endsWith('.ts')) continue;
      const content = readFileSync(path.join(directory, name));
      hash.update(JSON.stringify([name, content.length])).update(content);
    }
  }
  return hash.digest('hex');
}

function readIfPresent(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string', short: 'o' } },
  });
  const [entry] = positionals;
  if (!entry || !values.out) {
    console.error('usage: build.mjs ENTRY.ts -o APP.wasm');
    process.exit(2);
  }
  const { outFile, isRebuilt } = await buildApp({
    entry: path.resolve(entry),
    outFile: path.resolve(values.out),
  });
  console.error(`${outFile} ${isRebuilt ? 'built' : 'is up to date'}`);
}

#!/usr/bin/env node
/** Compiles every AssemblyScript example into its `build/` folder; what has not changed is skipped. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../libs/app-sdk/build.mjs';

const directory = path.dirname(fileURLToPath(import.meta.url));
for (const name of readdirSync(directory)) {
  const entry = path.join(directory, name, 'assembly', 'index.ts');
  if (!existsSync(entry)) continue;
  const { isRebuilt } = await buildApp({
    entry,
    outFile: path.join(directory, name, 'build', `${name}.wasm`),
  });
  if (isRebuilt) console.error(`built ${name}`);
}

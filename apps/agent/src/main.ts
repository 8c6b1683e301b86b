#!/usr/bin/env node
// Only Node's own modules here: on an old Node everything else may fail to load before it can say why.
import { MIN_NODE_MAJOR, nodeMajor } from './node-version.js';

if (nodeMajor() < MIN_NODE_MAJOR) {
  process.stderr.write(`gleaner agent needs Node ${MIN_NODE_MAJOR} or newer; this is ${process.version}\n`);
  process.exit(1);
}
const { runAgentProgram } = await import('./program.js');
await runAgentProgram(process.argv.slice(2));

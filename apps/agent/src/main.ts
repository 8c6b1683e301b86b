#!/usr/bin/env node
// Only Node's own modules here: on an old Node everything else may fail to load before it can say why.
import { EXIT, serviceExitCode } from './exit-codes.js';
import { MIN_NODE_MAJOR, nodeMajor } from './node-version.js';
import { keepHeapSmall } from './small-heap.js';

if (nodeMajor() < MIN_NODE_MAJOR) {
  process.stderr.write(`gleaner agent needs Node ${MIN_NODE_MAJOR} or newer; this is ${process.version}\n`);
  // A service manager is not to try the same again and again.
  const isService = process.argv.includes('--service');
  process.exit(isService ? serviceExitCode(EXIT.tooOld, process.platform) : EXIT.failure);
}
keepHeapSmall();
const { runAgentProgram } = await import('./program.js');
await runAgentProgram(process.argv.slice(2));

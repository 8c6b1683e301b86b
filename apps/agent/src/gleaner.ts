#!/usr/bin/env node
// The packaged agent's `gleaner` command: `gleaner agent …`. Only Node's own modules here, as in main.ts.
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
const [command, ...args] = process.argv.slice(2);
const { runAgentProgram } = await import('./program.js');
if (command === 'agent') {
  await runAgentProgram(args, ['agent']);
} else if (command === '--version' || command === '-V') {
  await runAgentProgram(['--version']);
} else {
  process.stderr.write(
    'This is the volunteer agent of Gleaner: gleaner agent attach URL, then gleaner agent run (--help tells more)\n',
  );
  process.exitCode = command === '--help' || command === undefined ? 0 : 2;
}

#!/usr/bin/env node
// Only Node's own modules here: on an old Node everything else may fail to load before it can say why.
const MIN_NODE_MAJOR = 22;

if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
  process.stderr.write(`gleaner needs Node ${MIN_NODE_MAJOR} or newer; this is ${process.version}\n`);
  process.exit(1);
}
const { runCli } = await import('./program.js');
await runCli(process.argv.slice(2));

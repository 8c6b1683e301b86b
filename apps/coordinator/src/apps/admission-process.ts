// Runs as a process: admits the module that it is sent, answers, and waits for its end. Whatever a module's bytes make of
// it, an engine that aborts included, happens to nobody else.
import { admitModule } from '@gleaner/sandbox/admission';

process.once('message', (bytes) => {
  // Only the service that started this process can write here.
  process.send?.(admitModule(bytes as Uint8Array));
});
// Ctrl-C reaches the whole terminal group: what becomes of the request is the coordinator's decision.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

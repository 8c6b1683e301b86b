import { readConfig, ConfigError, type Config } from './config/index.js';
import { startCoordinator, type Coordinator } from './coordinator.js';
import { createLogger, type Logger } from './telemetry/index.js';

const MIN_NODE_MAJOR = 22;
const STOP_TIMEOUT_MS = 45_000;

async function main(): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
    throw new ConfigError([`Node ${MIN_NODE_MAJOR} or newer is needed, this is ${process.version}`]);
  }
  const config = readConfig(
    process.argv.includes('--json') ? { ...process.env, GLEANER_JSON: '1' } : process.env,
  );
  const logger = createLogger(config.logLevel);
  const starting = startCoordinator(config, logger);
  stopOnSignals(starting, logger);
  announce(config, await starting);
}

/** The first signal stops in order; a second one, or a stop that takes too long, ends the process at once. */
function stopOnSignals(starting: Promise<Coordinator>, logger: Logger): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ event: 'stopping', signal });
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
    starting
      .then((coordinator) => coordinator.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ event: 'stop-failed', err: error });
          process.exit(1);
        },
      );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // A program that started this one with an IPC channel has ended, perhaps by a crash: nobody is left to stop it.
  process.on('disconnect', () => {
    if (!stopping) stop('SIGTERM');
  });
}

function announce(config: Config, { url, port, operatorToken }: Coordinator): void {
  if (config.json) {
    const { dataDir, role } = config;
    const ready = { url, port, dataDir, role, ...(operatorToken === null ? {} : { operatorToken }) };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    return;
  }
  if (operatorToken !== null) {
    process.stdout.write(`The operator's token, shown only this once: ${operatorToken}\n`);
  }
  process.stdout.write(`${config.name} is ready at ${url} (data in ${config.dataDir})\n`);
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n`);
  if (!(error instanceof ConfigError) && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
  process.exit(1);
});

import { readConfig, ConfigError, type Config } from './config/index.js';
import { startCoordinator, type Coordinator } from './coordinator.js';
import { EmbeddedPostgres, postgresDirectory } from './database/index.js';
import { createLogger, type Logger } from './telemetry/index.js';

const MIN_NODE_MAJOR = 22;
const USAGE_EXIT_CODE = 2;
/** With what {@link endAtOnce} may take less than a program that started this one waits before it kills. */
const STOP_TIMEOUT_MS = 40_000;
/** A coordinator that has stopped leaves nothing open that would keep its process; whatever does after all gets no longer. */
const OPEN_AFTER_STOP_MS = 2000;

/** Ends the database server of a coordinator that was killed, for whoever had started that one, and serves nothing. */
const STOP_DATABASE = '--stop-database';
const JSON_LINE = '--json';

const USAGE = `Starts a coordinator. Variables of the environment are its settings; docs/operating.md describes them.

  --json  one line of JSON on stdout when it is ready, as GLEANER_JSON=1
  --help  print this
`;

async function main(): Promise<void> {
  const args = new Set(process.argv.slice(2));
  if (args.has('--help')) {
    process.stdout.write(USAGE);
    return;
  }
  // A port or a directory that is passed by would be one that nobody asked for.
  const unknown = [...args].filter((arg) => arg !== STOP_DATABASE && arg !== JSON_LINE);
  if (unknown.length > 0) {
    process.stderr.write(`${unknown.join(' ')}: this program knows no such argument.\n\n${USAGE}`);
    process.exitCode = USAGE_EXIT_CODE;
    return;
  }
  if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
    throw new ConfigError([`Node ${MIN_NODE_MAJOR} or newer is needed, this is ${process.version}`]);
  }
  const config = readConfig(args.has(JSON_LINE) ? { ...process.env, GLEANER_JSON: '1' } : process.env);
  if (args.has(STOP_DATABASE)) {
    await EmbeddedPostgres.stopAbandoned(postgresDirectory(config.dataDir));
    return;
  }
  const logger = createLogger(config.logLevel);
  endOnAccidents(logger);
  const stopped = new AbortController();
  const starting = startCoordinator(config, logger, stopped.signal);
  stopOnSignals(starting, stopped, logger);
  try {
    announce(config, await starting);
  } catch (error) {
    if (!stopped.signal.aborted || error !== stopped.signal.reason) throw error;
  }
}

/** The first signal stops in order; a second one, or a stop that takes too long, ends everything at once. */
function stopOnSignals(starting: Promise<Coordinator>, stopped: AbortController, logger: Logger): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      endAtOnce(logger, 'stopped twice');
      return;
    }
    stopping = true;
    logger.info({ event: 'stopping', signal });
    setTimeout(() => endAtOnce(logger, 'stopping takes too long'), STOP_TIMEOUT_MS).unref();
    stopped.abort();
    starting
      .then((coordinator) => coordinator.stop())
      .then(
        () => endByItself(),
        (error: unknown) => {
          if (error === stopped.signal.reason) {
            endByItself();
            return;
          }
          logger.error({ event: 'stop-failed', err: error });
          endAtOnce(logger, 'stopping failed');
        },
      );
  };
  // SIGHUP: its terminal is closed, which Node would end it by where it stands.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // A program that started this one with an IPC channel has ended, perhaps by a crash: nobody is left to stop it.
  const parentEnded = (): void => {
    if (!stopping) stop('SIGTERM');
  };
  process.on('disconnect', parentEnded);
  // It may have ended before we listened. Without a channel there is no such property.
  if ('connected' in process && !process.connected) parentEnded();
}

/** Node would end the process where it stands, and the database server would stay. */
function endOnAccidents(logger: Logger): void {
  // Who started us may be gone before it has read that we are ready.
  process.stdout.on('error', () => undefined);
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ event, err: error });
      endAtOnce(logger, 'something failed that nothing expected');
    });
  }
}

/** Ending from within joins the engine's threads, of which one that compiles may wait for this one for ever (nodejs/node#54918). */
function endByItself(): void {
  // Channel of the program that started this one, if there is one.
  process.disconnect?.();
  setTimeout(() => process.exit(), OPEN_AFTER_STOP_MS).unref();
}

/** Without finishing anything, yet not leaving the database server behind, which is a process of its own. */
function endAtOnce(logger: Logger, reason: string): void {
  logger.warn({ event: 'ending-at-once', reason });
  void EmbeddedPostgres.abortAll().finally(() => process.exit(1));
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

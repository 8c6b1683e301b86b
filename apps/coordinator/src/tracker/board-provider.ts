import type { Provider } from '@nestjs/common';
import { Redis } from 'ioredis';
import { CONFIG, type Config } from '../config/index.js';
import { INSTALLATION, type Installation } from '../database/index.js';
import { reconnectOnError } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { MemoryBoard } from './memory-board.js';
import { RedisBoard } from './redis-board.js';
import type { SwarmBoard } from './swarm-board.js';

/** Injection token of the {@link SwarmBoard}. */
export const SWARM_BOARD = Symbol('SWARM_BOARD');

/** A request that needs the board fails sooner than its caller gives up. */
const COMMAND_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS = 500;
const ERROR_LOG_INTERVAL_MS = 5_000;

/** In Redis where there is one, so that several coordinators see the same swarm; otherwise there is only this coordinator. */
export const boardProvider: Provider = {
  provide: SWARM_BOARD,
  useFactory: (config: Config, { namespace }: Installation, logger: Logger): SwarmBoard =>
    config.redisUrl === null
      ? new MemoryBoard()
      : new RedisBoard(connect(config.redisUrl, logger), `${namespace}:swarm`),
  inject: [CONFIG, INSTALLATION, LOGGER],
};

function connect(url: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: () => RECONNECT_DELAY_MS,
    maxRetriesPerRequest: 1,
    reconnectOnError,
  });
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  redis.on('error', (error: Error) => {
    if (performance.now() - loggedAtMs < ERROR_LOG_INTERVAL_MS) return;
    loggedAtMs = performance.now();
    logger.warn({ event: 'swarm-board-error', error: error.message || error.name });
  });
  return redis;
}

import { Controller, Get, Header, Inject, ServiceUnavailableException } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  HealthCheckService,
  HealthIndicatorService,
  TypeOrmHealthIndicator,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { z } from 'zod';
import { CONFIG, type Config } from '../config/index.js';
import { RecentTrouble, WorkersSeen } from '../database/index.js';
import { DomainError, Public, Unlimited } from '../http/index.js';
import { inTime, QueueService } from '../queue/index.js';
import { Metrics } from '../telemetry/index.js';

const DATABASE_TIMEOUT_MS = 2_000;
const QUEUE_TIMEOUT_MS = 2_000;
const NO_ANSWER = Symbol('no answer');

@ApiTags('health')
@Controller()
@Public()
@Unlimited()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly recentTrouble: RecentTrouble,
    private readonly workersSeen: WorkersSeen,
    private readonly indicators: HealthIndicatorService,
    private readonly queues: QueueService,
    private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The process answers: do not restart it. */
  @Get('health/live')
  @ApiOkResponse({
    description: 'The process lives',
    standardSchema: z.strictObject({ status: z.literal('ok') }),
  })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** It can do what its role is for. Requests are served without the queue as well; a worker has nothing else. */
  @Get('health/ready')
  @HealthCheck()
  async ready(): Promise<HealthCheckResult> {
    try {
      return await this.health.check([() => this.checkDatabase(), () => this.checkQueue()]);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      throw new DomainError('unavailable', whatIsDown(error.getResponse()), { cause: error });
    }
  }

  /**
   * The database, and what it knows of workers: requests are served without one, but no job gets any further. One that takes nothing can
   * be read.
   */
  private async checkDatabase(): Promise<HealthIndicatorResult> {
    const database = await this.database.pingCheck('database', { timeout: DATABASE_TIMEOUT_MS });
    if (database.database.status !== 'up') return database;
    const since = await inTime(this.workersSeen.goneSince(), DATABASE_TIMEOUT_MS, NO_ANSWER);
    if (since === NO_ANSWER)
      return this.indicators.check('database').down(`no answer within ${DATABASE_TIMEOUT_MS} ms`);
    const workers = this.indicators.check('workers');
    const trouble = this.recentTrouble.get();
    return {
      ...(trouble === null ? database : this.indicators.check('database').degraded(trouble)),
      ...(since === null
        ? workers.up()
        : workers.degraded(`none has been at work since ${since.toISOString()}`)),
    };
  }

  private async checkQueue(): Promise<HealthIndicatorResult<'queue'>> {
    const queue = this.indicators.check('queue');
    const message = await this.queues.trouble(QUEUE_TIMEOUT_MS);
    if (message === null) return queue.up();
    return this.config.role === 'worker' ? queue.down(message) : queue.degraded(message);
  }

  @Get('metrics')
  @ApiExcludeEndpoint()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  prometheus(): Promise<string> {
    return this.metrics.text();
  }
}

const checked = z.object({ error: z.record(z.string(), z.looseObject({ message: z.string().optional() })) });

function whatIsDown(result: unknown): string {
  const { error } = checked.parse(result);
  return Object.entries(error)
    .map(([name, { message }]) => `The ${name} is down: ${message ?? 'it does not answer'}.`)
    .join(' ');
}

import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  HealthCheckService,
  TypeOrmHealthIndicator,
  type HealthCheckResult,
} from '@nestjs/terminus';
import { Public, Unlimited } from '../http/index.js';
import { Metrics } from '../telemetry/index.js';

const DATABASE_TIMEOUT_MS = 2_000;

@ApiTags('health')
@Controller()
@Public()
@Unlimited()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly metrics: Metrics,
  ) {}

  /** The process answers: do not restart it. */
  @Get('health/live')
  @ApiOkResponse({ description: 'The process lives' })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** It can serve: send it requests. */
  @Get('health/ready')
  @HealthCheck()
  @ApiServiceUnavailableResponse({ description: 'The database does not answer' })
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.database.pingCheck('database', { timeout: DATABASE_TIMEOUT_MS })]);
  }

  @Get('metrics')
  @ApiExcludeEndpoint()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  prometheus(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}

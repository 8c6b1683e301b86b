import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Injection token of the process's pino logger. */
export const LOGGER = Symbol('LOGGER');

/** Writes JSON lines to stderr: stdout carries only what scripts read. Secrets are cut out wherever they appear as fields. */
export function createLogger(level: string): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  // Whoever read our log is gone: that must not keep us from stopping in order.
  destination.on('error', () => undefined);
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: [
        'authorization',
        '*.authorization',
        'secret',
        '*.secret',
        'token',
        '*.token',
        'headers',
        '*.headers',
      ],
    },
    destination,
  );
}

/** Lets Nest's own messages go through pino; its start-up chatter is only of interest when debugging. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...context: unknown[]): void {
    this.logger.debug({ context: context.at(-1) }, String(message));
  }

  error(message: unknown, ...context: unknown[]): void {
    if (message instanceof Error)
      this.logger.error({ err: message, context: context.at(-1) }, message.message);
    else this.logger.error({ context }, String(message));
  }

  warn(message: unknown, ...context: unknown[]): void {
    this.logger.warn({ context: context.at(-1) }, String(message));
  }

  debug(message: unknown, ...context: unknown[]): void {
    this.logger.debug({ context: context.at(-1) }, String(message));
  }

  verbose(message: unknown, ...context: unknown[]): void {
    this.logger.trace({ context: context.at(-1) }, String(message));
  }
}

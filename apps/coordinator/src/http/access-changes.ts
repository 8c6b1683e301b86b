import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../config/index.js';
import { ChannelListener } from '../database/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { TokenDirectory } from './token-directory.js';

/** What triggers on tokens, accounts and hosts announce once the change is committed. */
const CHANNEL = 'gleaner_access';

/** For what no trigger tells of. It is heard once the transaction is committed. */
export async function tellAccessChanged(manager: EntityManager): Promise<void> {
  await manager.query('SELECT pg_notify($1, $2)', [CHANNEL, '']);
}

/** Hears from the database that somebody may do something else than before, whichever coordinator changed it. */
@Injectable()
export class AccessChanges implements OnModuleInit, OnApplicationShutdown {
  private readonly listeners: Array<() => void> = [];
  private readonly channel: ChannelListener;

  constructor(
    dataSource: DataSource,
    tokens: TokenDirectory,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.onChanged(() => tokens.forgetAll());
    this.channel = new ChannelListener(dataSource, CHANNEL, {
      onNews: () => {
        for (const listener of this.listeners) listener();
      },
      onBroken: (error, retryMs) => logger.warn({ event: 'access-changes-unheard', err: error, retryMs }),
    });
  }

  /** Also called when changes may have been missed. */
  onChanged(listener: () => void): void {
    this.listeners.push(listener);
  }

  onModuleInit(): void {
    if (this.config.role !== 'worker') this.channel.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.channel.stop();
  }
}

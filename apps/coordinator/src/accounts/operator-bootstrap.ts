import { Inject, Injectable } from '@nestjs/common';
import { SCOPES } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../config/index.js';
import { drawSecret, hashSecret } from '../http/index.js';
import { AccountEntity } from './account.entity.js';
import { insertAccount } from './accounts.service.js';
import { ApiTokenEntity } from './api-token.entity.js';
import { insertToken } from './tokens.service.js';

/** Two coordinators that start on an empty database make one operator; the number only has to be the same for both. */
const BOOTSTRAP_LOCK = 8_400_006;

/** An installation begins with one operator, whose first token is shown once where it was drawn. */
@Injectable()
export class OperatorBootstrap {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The secret that was drawn; null where the installation has its operator already, or was told the secret: logs are read by many. */
  async run(): Promise<string | null> {
    return await this.dataSource.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock($1)', [BOOTSTRAP_LOCK]);
      const operator = await manager.findOne(AccountEntity, {
        where: { operator: true },
        order: { id: 'ASC' },
      });
      const configured = this.config.operatorToken;
      if (operator && configured === null) return null;
      if (configured !== null) {
        const known = await manager.existsBy(ApiTokenEntity, { secretSha256: hashSecret(configured) });
        if (known) return null;
      }
      const account =
        operator ??
        (await insertAccount(manager, { name: this.config.operatorName, operator: true, anonymous: false }));
      const secret = configured ?? drawSecret();
      await insertToken(manager, {
        accountId: account.id,
        hostId: null,
        secret,
        label: 'first token',
        scopes: SCOPES,
      });
      return configured === null ? secret : null;
    });
  }
}

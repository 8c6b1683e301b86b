export { AccountEvents, type AccountsLinkedListener } from './account-events.js';
export { AccountEntity } from './account.entity.js';
export { AccountsModule } from './accounts.module.js';
export { AccountsService, insertAccount } from './accounts.service.js';
export { ApiTokenEntity } from './api-token.entity.js';
export { LASTING_CHANGES_PER_HOUR, LastingChanges } from './lasting-changes.js';
export { accountDeleted, requireLiving } from './living-account.js';
export { OperatorBootstrap } from './operator-bootstrap.js';
export { insertToken } from './tokens.service.js';

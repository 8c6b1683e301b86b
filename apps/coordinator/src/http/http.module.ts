import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { AccessChanges } from './access-changes.js';
import { AccessGuard } from './access.guard.js';
import { ProblemFilter } from './problem.filter.js';
import { RouteIndex } from './route-index.js';
import { SchemaValidationPipe } from './schema-validation.pipe.js';
import { StreamSlots } from './stream-slots.js';
import { TokenDirectory } from './token-directory.js';
import { UnreadPartsGuard } from './unread-parts.guard.js';

/** What every endpoint shares: who calls, what the request must look like, how errors are told. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    AccessChanges,
    AccessGuard,
    RouteIndex,
    StreamSlots,
    TokenDirectory,
    { provide: APP_GUARD, useExisting: AccessGuard },
    // After it: strangers are told that they are strangers.
    { provide: APP_GUARD, useClass: UnreadPartsGuard },
    { provide: APP_PIPE, useClass: SchemaValidationPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  exports: [AccessChanges, AccessGuard, RouteIndex, StreamSlots, TokenDirectory],
})
export class HttpModule {}

import type { WorkResponse } from '@gleaner/protocol';
import type { Emitter } from './emitter.js';
import type { Warnings } from './warnings.js';
import type { WorkerEvents } from './worker-events.js';

/** What an answer of the coordinator brings beside its matter. */
export class CoordinatorNews {
  #wishesVersion = -1;

  constructor(
    private readonly events: Emitter<WorkerEvents>,
    private readonly warnings: Pick<Warnings, 'hostUsed'>,
  ) {}

  heard({ wishes, isUsedTwice = false }: Pick<WorkResponse, 'wishes' | 'isUsedTwice'>): void {
    this.warnings.hostUsed(isUsedTwice);
    if (wishes === undefined || wishes.version <= this.#wishesVersion) return;
    this.#wishesVersion = wishes.version;
    this.events.emit('wishes', wishes);
  }
}

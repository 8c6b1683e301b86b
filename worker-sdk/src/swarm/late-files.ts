import type { BlobLocation } from '@gleaner/swarm';
import { MAX_SHARED_FILES } from './shared-files.js';

/**
 * Files of which a task had chunks from the origin because they could not be joined in time, as while the swarm's process starts:
 * they are shared as soon as they can be. Of more than can be shared, those of which nothing was needed for longest are left out.
 */
export class LateFiles {
  readonly #locations = new Map<string, BlobLocation>();

  get all(): BlobLocation[] {
    return [...this.#locations.values()];
  }

  add(location: BlobLocation): void {
    this.#locations.delete(location.manifestId);
    this.#locations.set(location.manifestId, location);
    const [oldest] = this.#locations.keys();
    if (this.#locations.size > MAX_SHARED_FILES && oldest !== undefined) this.#locations.delete(oldest);
  }

  /** It is shared, or may not be. */
  delete(manifestId: string): void {
    this.#locations.delete(manifestId);
  }
}

import type { SentModule } from './messages.js';

const MAX_MODULES = 16;

/**
 * Which compiled modules a sandbox holds, as its owner knows it, so that each travels once. The least recently used
 * leaves when there are too many.
 */
export class ModuleLedger {
  readonly #held = new Set<string>();

  /** Notes the modules of a batch; says which to send along and which to forget. */
  plan(modules: ReadonlyMap<string, SentModule['source']>): { modules: SentModule[]; evict: string[] } {
    const toSend: SentModule[] = [];
    for (const [sha256, source] of modules) {
      if (!this.#held.delete(sha256)) toSend.push({ sha256, source });
      this.#held.add(sha256);
    }
    const evict: string[] = [];
    for (const sha256 of this.#held) {
      if (this.#held.size <= Math.max(MAX_MODULES, modules.size)) break;
      this.#held.delete(sha256);
      evict.push(sha256);
    }
    return { modules: toSend, evict };
  }

  forget(sha256: string): void {
    this.#held.delete(sha256);
  }

  clear(): void {
    this.#held.clear();
  }
}

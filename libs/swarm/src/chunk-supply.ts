import type { ChunkRequest, ChunkSource } from './chunk-source.js';
import type { ChunkStore } from './store/index.js';

/** Brings claimed chunks into the store, from wherever they can be had. */
export interface ChunkSupply {
  /** Resolves when all of them are in the store; rejects when one cannot be had, or the signal aborts. */
  bring(request: ChunkRequest, signal: AbortSignal): Promise<void>;
}

/** Everything from one source, such as the HTTP origin. */
export class SourceSupply implements ChunkSupply {
  /** @param onBrought called for every chunk once it is stored; with its length in bytes */
  constructor(
    private readonly source: ChunkSource,
    private readonly store: ChunkStore,
    private readonly onBrought: (manifestId: string, index: number, bytes: number) => void = () => undefined,
  ) {}

  async bring(request: ChunkRequest, signal: AbortSignal): Promise<void> {
    const { manifestId } = request.location;
    for await (const { index, bytes } of this.source.fetchChunks(request, signal)) {
      await this.store.write(manifestId, index, bytes);
      this.onBrought(manifestId, index, bytes.length);
    }
  }
}

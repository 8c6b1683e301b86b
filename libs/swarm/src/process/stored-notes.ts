/** Chunks that were stored are told of after this. */
const GATHER_MS = 20;

/** Gathers which chunks were stored, to be told of together. */
export class StoredNotes {
  readonly #chunks = new Map<string, number[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: (manifestId: string, chunks: readonly number[]) => void) {}

  add(manifestId: string, chunk: number): void {
    const chunks = this.#chunks.get(manifestId);
    if (chunks) chunks.push(chunk);
    else this.#chunks.set(manifestId, [chunk]);
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Tells of everything now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [manifestId, chunks] of this.#chunks) this.tell(manifestId, chunks);
    this.#chunks.clear();
  }
}

/** Files that are told of one by one: twice as many as are shared at a time, so that what was left is still told of once. */
export const TOLD_FILES_MAX = 128;

/** Bytes that moved for one file since the node started, or since it was told of last among too many others. */
export interface FileTraffic {
  readonly manifestId: string;
  readonly fromPeersBytes: number;
  readonly fromOriginBytes: number;
  readonly toPeersBytes: number;
}

type Way = keyof Omit<FileTraffic, 'manifestId'>;

/**
 * What moved, in all and by file. Who follows looks at the files every two seconds: those of which nothing has moved for longest are
 * told of no more, or a host that computes for weeks on many files would tell of all of them each time.
 */
export class TrafficBook {
  /** The one that moved last comes last. */
  readonly #files = new Map<string, Record<Way, number>>();
  readonly #totals: Record<Way, number> = { fromPeersBytes: 0, fromOriginBytes: 0, toPeersBytes: 0 };
  /**
   * Bytes of blocks that came from and went to other volunteers, whatever they were worth: what a volunteer's line has carried.
   */
  exchangedBytes = 0;

  add(manifestId: string, way: Way, bytes: number): void {
    const traffic = this.#files.get(manifestId) ?? { fromPeersBytes: 0, fromOriginBytes: 0, toPeersBytes: 0 };
    traffic[way] += bytes;
    this.#totals[way] += bytes;
    this.#files.delete(manifestId);
    this.#files.set(manifestId, traffic);
    const [oldest] = this.#files.keys();
    if (this.#files.size > TOLD_FILES_MAX && oldest !== undefined) this.#files.delete(oldest);
  }

  /** Of all files, those that are told of no more included. */
  totalBytes(way: Way): number {
    return this.#totals[way];
  }

  files(): FileTraffic[] {
    return [...this.#files].map(([manifestId, traffic]) => ({ manifestId, ...traffic }));
  }
}

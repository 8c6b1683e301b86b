/** Bytes that moved for one file since the node started. */
export interface FileTraffic {
  readonly manifestId: string;
  readonly fromPeersBytes: number;
  readonly fromOriginBytes: number;
  readonly toPeersBytes: number;
}

type Way = keyof Omit<FileTraffic, 'manifestId'>;

/** What moved, by file; files that were left included. */
export class TrafficBook {
  readonly #files = new Map<string, Record<Way, number>>();
  /**
   * Bytes of blocks that came from and went to other volunteers, whatever they were worth: what a volunteer's line has carried.
   */
  exchangedBytes = 0;

  add(manifestId: string, way: Way, bytes: number): void {
    const traffic = this.#files.get(manifestId) ?? { fromPeersBytes: 0, fromOriginBytes: 0, toPeersBytes: 0 };
    traffic[way] += bytes;
    this.#files.set(manifestId, traffic);
  }

  totalBytes(way: Way): number {
    let bytes = 0;
    for (const traffic of this.#files.values()) bytes += traffic[way];
    return bytes;
  }

  files(): FileTraffic[] {
    return [...this.#files].map(([manifestId, traffic]) => ({ manifestId, ...traffic }));
  }
}

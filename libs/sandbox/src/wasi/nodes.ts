import { compareUtf8 } from './compare-utf8.js';
import type { FileContent } from './file-content.js';
import { FILETYPE } from './preview1.js';
import { CLOCK_START_NS } from './unit-clock.js';
import type { Volume } from './volume.js';

/** Access and modification time in nanoseconds; what the app does not set stays at the unit's fixed start. */
interface NodeTimes {
  accessNs: bigint;
  modificationNs: bigint;
}

interface NodeCommon {
  readonly inode: bigint;
  readonly volume: Volume;
  readonly times: NodeTimes;
  /** Directory entries that name it; a preopened root counts as one. */
  links: number;
  /** Descriptors that hold it open. */
  opens: number;
}

export interface FileNode extends NodeCommon {
  readonly filetype: typeof FILETYPE.regularFile;
  readonly content: FileContent;
}

export interface SymlinkNode extends NodeCommon {
  readonly filetype: typeof FILETYPE.symbolicLink;
  readonly target: string;
}

export interface DirectoryNode extends NodeCommon {
  readonly filetype: typeof FILETYPE.directory;
  readonly entries: DirectoryEntries;
  parent: DirectoryNode | null;
}

export type FileSystemNode = FileNode | SymlinkNode | DirectoryNode;

export function newTimes(): NodeTimes {
  return { accessNs: CLOCK_START_NS, modificationNs: CLOCK_START_NS };
}

/** Names to nodes, listed in byte order of the names whatever the order of their creation. */
export class DirectoryEntries {
  readonly #nodes = new Map<string, FileSystemNode>();
  readonly #names: string[] = [];

  get size(): number {
    return this.#names.length;
  }

  get(name: string): FileSystemNode | null {
    return this.#nodes.get(name) ?? null;
  }

  set(name: string, node: FileSystemNode): void {
    if (!this.#nodes.has(name)) this.#names.splice(this.#indexOf(name), 0, name);
    this.#nodes.set(name, node);
  }

  delete(name: string): void {
    if (this.#nodes.delete(name)) this.#names.splice(this.#indexOf(name), 1);
  }

  /** A copy of the names in byte order. */
  names(): string[] {
    return [...this.#names];
  }

  /** Where `name` is, or belongs, among the sorted names. */
  #indexOf(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#names[middle] ?? '', name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

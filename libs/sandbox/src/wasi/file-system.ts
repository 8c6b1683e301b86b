import { MemoryContent, SourceContent } from './file-content.js';
import type { ByteSource } from './byte-source.js';
import {
  DirectoryEntries,
  newTimes,
  type DirectoryNode,
  type FileNode,
  type FileSystemNode,
  type SymlinkNode,
} from './nodes.js';
import { FILETYPE } from './preview1.js';
import type { Volume } from './volume.js';

/** Files, directories and links that one unit may have at a time, and names of them: a file may have several. */
const MAX_NODES = 16_384;

/**
 * The tree of one unit: makes and counts nodes. It knows nothing of paths or descriptors. Inodes are numbered in the
 * order of creation, so they are the same on every host.
 */
export class FileSystem {
  readonly root: DirectoryNode;
  #nextInode = 1;
  #nodes = 0;
  #names = 0;

  constructor(rootVolume: Volume) {
    this.root = this.#directory(rootVolume, null);
    this.root.links = 1;
  }

  /** The number that the next node gets. */
  get nextInode(): number {
    return this.#nextInode;
  }

  /** Continues the numbering of a snapshot, whose nodes and names were made apart. */
  restoreCounts(counts: {
    readonly nextInode: number;
    readonly nodes: number;
    readonly names: number;
  }): void {
    this.#nextInode = counts.nextInode;
    this.#nodes = counts.nodes;
    this.#names = counts.names;
  }

  get isFull(): boolean {
    return this.#nodes >= MAX_NODES || this.#names >= MAX_NODES;
  }

  addDirectory(parent: DirectoryNode, name: string, volume = parent.volume): DirectoryNode {
    const node = this.#directory(volume, parent);
    this.link(parent, name, node);
    return node;
  }

  /** An empty file in memory. */
  addFile(parent: DirectoryNode, name: string): FileNode {
    const node: FileNode = {
      ...this.#common(parent.volume),
      filetype: FILETYPE.regularFile,
      content: new MemoryContent(parent.volume),
    };
    this.link(parent, name, node);
    return node;
  }

  /** A file that shows `source`. */
  addSource(parent: DirectoryNode, name: string, source: ByteSource): FileNode {
    const node: FileNode = {
      ...this.#common(parent.volume),
      filetype: FILETYPE.regularFile,
      content: new SourceContent(source),
    };
    this.link(parent, name, node);
    return node;
  }

  /** Null where the volume has no room for the target. */
  addSymlink(parent: DirectoryNode, name: string, target: string): SymlinkNode | null {
    if (!parent.volume.reserve(bytesOfTarget(target))) return null;
    const node: SymlinkNode = {
      ...this.#common(parent.volume),
      filetype: FILETYPE.symbolicLink,
      target,
    };
    this.link(parent, name, node);
    return node;
  }

  link(parent: DirectoryNode, name: string, node: FileSystemNode): void {
    parent.entries.set(name, node);
    this.#names++;
    node.links++;
    if (node.filetype === FILETYPE.directory) node.parent = parent;
  }

  unlink(parent: DirectoryNode, name: string): void {
    const node = parent.entries.get(name);
    if (node === null) return;
    parent.entries.delete(name);
    this.#names--;
    node.links--;
    this.forgetIfUnused(node);
  }

  /** A node without names and descriptors is gone, and its bytes are free again. */
  forgetIfUnused(node: FileSystemNode): void {
    if (node.links > 0 || node.opens > 0) return;
    if (node.filetype === FILETYPE.regularFile) node.content.release();
    if (node.filetype === FILETYPE.symbolicLink) node.volume.giveBack(bytesOfTarget(node.target));
    this.#nodes--;
  }

  #directory(volume: Volume, parent: DirectoryNode | null): DirectoryNode {
    return {
      ...this.#common(volume),
      filetype: FILETYPE.directory,
      entries: new DirectoryEntries(),
      parent,
    };
  }

  #common(volume: Volume) {
    this.#nodes++;
    return { inode: BigInt(this.#nextInode++), volume, times: newTimes(), links: 0, opens: 0 };
  }
}

/** Bytes that a symbolic link takes of its volume: its target's UTF-16 units, as hosts keep it. */
export function bytesOfTarget(target: string): number {
  return 2 * target.length;
}

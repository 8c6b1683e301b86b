import type { FileSystem } from './file-system.js';
import type { DirectoryNode, FileNode } from './nodes.js';
import { FILETYPE } from './preview1.js';

/** Descriptors that one unit may have open at a time. */
const MAX_DESCRIPTORS = 1024;

interface DescriptorCommon {
  rights: number;
  inheriting: number;
  flags: number;
}

/** A standard stream: `stdin` is always at its end. */
interface StreamDescriptor extends DescriptorCommon {
  readonly kind: 'stream';
  readonly stream: 'stdin' | 'stdout' | 'stderr';
}

export interface FileDescriptor extends DescriptorCommon {
  readonly kind: 'file';
  readonly node: FileNode;
  /** Where the next read or write goes, in bytes. */
  offset: number;
}

export interface DirectoryDescriptor extends DescriptorCommon {
  readonly kind: 'directory';
  readonly node: DirectoryNode;
  /** The path under which the app got it from the start, null where the app opened it. */
  readonly preopen: string | null;
  /** The names as they were when the app began to list, so that entries keep their cookies while it deletes them. */
  listing: readonly string[] | null;
}

export type Descriptor = StreamDescriptor | FileDescriptor | DirectoryDescriptor;

/** Numbers to descriptors; the lowest free number is given first, as in POSIX. */
export class DescriptorTable {
  readonly #slots: (Descriptor | null)[] = [];
  readonly #files: FileSystem;

  constructor(files: FileSystem) {
    this.#files = files;
  }

  get(fd: number): Descriptor | null {
    return this.#slots[fd] ?? null;
  }

  /** All slots up to the highest used one, for snapshots. */
  get slots(): ReadonlyArray<Descriptor | null> {
    return this.#slots;
  }

  get isFull(): boolean {
    return this.#slots.length >= MAX_DESCRIPTORS && !this.#slots.includes(null);
  }

  /** Puts a descriptor into the lowest free slot; the caller has checked {@link isFull}. */
  add(descriptor: Descriptor): number {
    const free = this.#slots.indexOf(null);
    const fd = free === -1 ? this.#slots.length : free;
    this.put(fd, descriptor);
    return fd;
  }

  /** Puts a descriptor into a slot that is free. */
  put(fd: number, descriptor: Descriptor): void {
    while (this.#slots.length < fd) this.#slots.push(null);
    this.#slots[fd] = descriptor;
    if (descriptor.kind !== 'stream') descriptor.node.opens++;
  }

  close(fd: number): void {
    const descriptor = this.get(fd);
    if (descriptor === null) return;
    this.#free(fd);
    if (descriptor.kind === 'stream') return;
    descriptor.node.opens--;
    this.#files.forgetIfUnused(descriptor.node);
  }

  /** Moves `from` to `to`, closing what was there; both are open. */
  renumber(from: number, to: number): void {
    const descriptor = this.get(from);
    if (descriptor === null || from === to) return;
    this.close(to);
    while (this.#slots.length < to) this.#slots.push(null);
    this.#slots[to] = descriptor;
    this.#free(from);
  }

  /** No free slots stay at the end, so that equal tables look equal. */
  #free(fd: number): void {
    this.#slots[fd] = null;
    while (this.#slots.at(-1) === null) this.#slots.pop();
  }
}

export function filetypeOf(descriptor: Descriptor): number {
  return descriptor.kind === 'stream' ? FILETYPE.unknown : descriptor.node.filetype;
}

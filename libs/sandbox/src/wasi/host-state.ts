import type { Descriptor } from './descriptors.js';
import { MemoryContent } from './file-content.js';
import { bytesOfTarget } from './file-system.js';
import { DirectoryEntries, type DirectoryNode, type FileSystemNode } from './nodes.js';
import { FILETYPE } from './preview1.js';
import type { WasiHost } from './wasi-host.js';
import type { Volume } from './volume.js';

/**
 * What of a host can change while a unit runs, for snapshots; plain JSON. Bytes stand apart as segments, in the order in
 * which the state mentions their sizes. Contents of inputs are not part of it.
 */
export interface HostState {
  readonly clockNs: string;
  readonly randomPosition: number;
  readonly nextInode: number;
  readonly stdoutBytes: number | null;
  readonly stderrBytes: number;
  readonly nodes: readonly NodeState[];
  readonly descriptors: ReadonlyArray<DescriptorState | null>;
}

interface NodeState {
  readonly inode: string;
  readonly filetype: FileSystemNode['filetype'];
  readonly device: string;
  readonly links: number;
  readonly times: readonly [accessNs: string, modificationNs: string];
  /** Directories: names and inodes. */
  readonly entries?: ReadonlyArray<readonly [string, string]>;
  /** Of a directory that was removed while it was open, or was such a one's parent: the inode that it lists as `..`. */
  readonly parent?: string;
  readonly target?: string;
  /** Files in memory: their size, and the parts of them that have segments. */
  readonly bytes?: number;
  readonly parts?: ReadonlyArray<readonly [offset: number, bytes: number]>;
}

type DescriptorState =
  | (Omit<Extract<Descriptor, { kind: 'stream' }>, never> & { readonly inode: null })
  | (Omit<Extract<Descriptor, { kind: 'file' }>, 'node'> & { readonly inode: string })
  | (Omit<Extract<Descriptor, { kind: 'directory' }>, 'node'> & { readonly inode: string });

/** The state as it stands; the segments are views that are valid until the app runs again. */
export function captureHost({ context }: WasiHost): { state: HostState; segments: Uint8Array[] } {
  const segments: Uint8Array[] = [];
  const keep = (bytes: Uint8Array): number => {
    segments.push(bytes);
    return bytes.length;
  };
  /** A large file may have been written to in few places: it is not held as a whole, and is not kept so. */
  const keepParts = (content: MemoryContent): readonly [number, number][] => {
    const parts: [number, number][] = [];
    for (const [offset, bytes] of content.written()) {
      const last = parts.at(-1);
      if (last !== undefined && last[0] + last[1] === offset) last[1] += keep(bytes);
      else parts.push([offset, keep(bytes)]);
    }
    return parts;
  };
  const stdoutBytes = context.stdout === null ? null : keep(context.stdout.bytes);
  const stderrBytes = keep(context.stderr.bytes);
  const nodes = [...reachableNodes(context.files.root, context.descriptors.slots)].map((node): NodeState => {
    const common = {
      inode: String(node.inode),
      filetype: node.filetype,
      device: String(node.volume.device),
      links: node.links,
      times: [String(node.times.accessNs), String(node.times.modificationNs)] as const,
    };
    switch (node.filetype) {
      case FILETYPE.directory: {
        const names = node.entries.names();
        return {
          ...common,
          entries: names.map((name) => [name, String(node.entries.get(name)?.inode)] as const),
          ...(node.links === 0 && node.parent && { parent: String(node.parent.inode) }),
        };
      }
      case FILETYPE.symbolicLink:
        return { ...common, target: node.target };
      case FILETYPE.regularFile:
        return node.content instanceof MemoryContent
          ? { ...common, bytes: node.content.size, parts: keepParts(node.content) }
          : common;
    }
  });
  const state = {
    clockNs: String(context.clock.elapsedNs),
    randomPosition: context.random.position,
    nextInode: context.files.nextInode,
    stdoutBytes,
    stderrBytes,
    nodes,
    descriptors: context.descriptors.slots.map(stateOfDescriptor),
  };
  return { state, segments };
}

/**
 * Brings a fresh host of the same unit into a captured state.
 *
 * @param take gives the next segment, of the given size in bytes
 */
export function restoreHost(
  { context }: WasiHost,
  state: HostState,
  take: (bytes: number) => Uint8Array,
): void {
  const { files, descriptors, clock, random } = context;
  clock.advance(BigInt(state.clockNs) - clock.elapsedNs);
  random.position = state.randomPosition;
  if (state.stdoutBytes !== null) context.stdout?.write(0, take(state.stdoutBytes));
  context.stderr.write(take(state.stderrBytes));

  // A fresh host numbers its directories and inputs as the captured one did, so that they are found by inode.
  const nodes = new Map<string, FileSystemNode>();
  const volumes = new Map<string, Volume>();
  for (const node of reachableNodes(files.root, descriptors.slots)) {
    nodes.set(String(node.inode), node);
    volumes.set(String(node.volume.device), node.volume);
  }
  for (const node of state.nodes) {
    const restored = nodes.get(node.inode) ?? nodeOf(node, volumes);
    nodes.set(node.inode, restored);
    restored.links = node.links;
    restored.times.accessNs = BigInt(node.times[0]);
    restored.times.modificationNs = BigInt(node.times[1]);
    if (restored.filetype === FILETYPE.regularFile && node.bytes !== undefined) {
      restored.content.resize(node.bytes);
      for (const [offset, bytes] of node.parts ?? []) restored.content.write(offset, take(bytes));
    }
  }
  const nodeAt = (inode: string): FileSystemNode => {
    const node = nodes.get(inode);
    if (node === undefined) throw new TypeError(`the snapshot mentions an unknown inode ${inode}`);
    return node;
  };
  for (const { inode, entries, parent } of state.nodes) {
    const directory = nodeAt(inode);
    if (directory.filetype !== FILETYPE.directory || entries === undefined) continue;
    if (parent !== undefined) directory.parent = directoryOf(nodeAt(parent));
    for (const name of directory.entries.names()) directory.entries.delete(name);
    for (const [name, child] of entries) {
      const node = nodeAt(child);
      directory.entries.set(name, node);
      if (node.filetype === FILETYPE.directory) node.parent = directory;
    }
  }
  for (let fd = 0; fd < descriptors.slots.length; fd++) descriptors.close(fd);
  state.descriptors.forEach((descriptor, fd) => {
    if (descriptor !== null) descriptors.put(fd, descriptorOf(descriptor, nodeAt));
  });
  const names = state.nodes.reduce((sum, { entries = [] }) => sum + entries.length, 0);
  const inUse = state.nodes
    .map(({ inode }) => nodeAt(inode))
    .filter((node) => node.links > 0 || node.opens > 0);
  files.restoreCounts({ nextInode: state.nextInode, nodes: inUse.length, names });
}

/** Every node that a path or a descriptor leads to, and what removed directories were in, once, in an order that depends on the tree alone. */
function reachableNodes(
  root: FileSystemNode,
  descriptors: ReadonlyArray<Descriptor | null>,
): Set<FileSystemNode> {
  const found = new Set<FileSystemNode>([root]);
  for (const descriptor of descriptors) {
    if (descriptor !== null && descriptor.kind !== 'stream') found.add(descriptor.node);
  }
  // A set goes on to give what is added while it is walked.
  for (const node of found) {
    if (node.filetype !== FILETYPE.directory) continue;
    for (const name of node.entries.names()) {
      const child = node.entries.get(name);
      if (child !== null) found.add(child);
    }
    if (node.parent) found.add(node.parent);
  }
  return found;
}

function nodeOf(state: NodeState, volumes: ReadonlyMap<string, Volume>): FileSystemNode {
  const volume = volumes.get(state.device);
  if (volume === undefined) throw new TypeError(`the snapshot mentions an unknown device ${state.device}`);
  const common = {
    inode: BigInt(state.inode),
    volume,
    times: { accessNs: 0n, modificationNs: 0n },
    links: 0,
    opens: 0,
  };
  switch (state.filetype) {
    case FILETYPE.directory:
      return { ...common, filetype: state.filetype, entries: new DirectoryEntries(), parent: null };
    case FILETYPE.symbolicLink: {
      const { target = '' } = state;
      if (!volume.reserve(bytesOfTarget(target))) throw new TypeError('the snapshot has more links than fit');
      return { ...common, filetype: state.filetype, target };
    }
    case FILETYPE.regularFile:
      if (state.bytes === undefined)
        throw new TypeError('the snapshot mentions an input that the unit lacks');
      return { ...common, filetype: state.filetype, content: new MemoryContent(volume) };
  }
}

function directoryOf(node: FileSystemNode): DirectoryNode {
  if (node.filetype === FILETYPE.directory) return node;
  throw new TypeError(`the snapshot has inode ${node.inode} as a directory, which it is not`);
}

function stateOfDescriptor(descriptor: Descriptor | null): DescriptorState | null {
  if (descriptor === null) return null;
  if (descriptor.kind === 'stream') return { ...descriptor, inode: null };
  const { node, ...rest } = descriptor;
  return { ...rest, inode: String(node.inode) };
}

function descriptorOf(state: DescriptorState, nodeAt: (inode: string) => FileSystemNode): Descriptor {
  if (state.inode === null) {
    const { inode: _none, ...stream } = state;
    return stream;
  }
  const { inode, ...rest } = state;
  const node = nodeAt(inode);
  if (rest.kind === 'file' && node.filetype === FILETYPE.regularFile) return { ...rest, node };
  if (rest.kind === 'directory' && node.filetype === FILETYPE.directory) return { ...rest, node };
  throw new TypeError(`the snapshot opens inode ${inode} as what it is not`);
}

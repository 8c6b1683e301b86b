import type { ByteSource } from './byte-source.js';
import { compareUtf8 } from './compare-utf8.js';
import { DescriptorTable } from './descriptors.js';
import { MemoryContent, type FileContent } from './file-content.js';
import { FileSystem } from './file-system.js';
import { GuestMemory } from './guest-memory.js';
import type { HostContext } from './host-context.js';
import { HostSeat } from './host-seat.js';
import type { DirectoryNode } from './nodes.js';
import {
  DIRECTORY_RIGHTS,
  FDFLAGS,
  FILETYPE,
  INHERITABLE_RIGHTS,
  RIGHTS,
  STREAM_RIGHTS,
} from './preview1.js';
import { RandomStream } from './random-stream.js';
import { TextTail } from './text-tail.js';
import { UnitClock } from './unit-clock.js';
import { Volume } from './volume.js';

const encoder = new TextEncoder();

/** Kept end of stderr, where nothing else is asked for. */
const STDERR_TAIL_BYTES = 4 * 1024;

/** A file (bytes), directory (null) or symbolic link of a prepared root, by its path without leading slash. */
export type RootEntry = readonly [path: string, content: Uint8Array | null | { readonly target: string }];

export interface HostInit {
  /** argv, the app's name first. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Names and contents of the files in /input. */
  readonly inputs: ReadonlyMap<string, ByteSource>;
  readonly keepsStdout: boolean;
  /** Bound on stdout and /output together. */
  readonly outputBytes: number;
  /** Bound on /tmp. */
  readonly scratchBytes: number;
  /** 32 bytes as lower-case hex. */
  readonly seed: string;
  /**
   * Instead of /input, /tmp and /output: one writable tree with these entries, bounded by `scratchBytes`; null: no
   * directory at all.
   */
  readonly root?: Iterable<RootEntry> | null;
  /** Bound on the kept end of stderr, 4 KiB where absent. */
  readonly stderrBytes?: number;
  readonly charge: (requestedBytes: number) => void;
  readonly onProgress: (permille: number) => void;
  readonly onFrame: (bytes: Uint8Array) => void;
}

/** Everything outside the module that one unit can see or change. */
export class WasiHost {
  readonly context: HostContext;
  readonly imports: HostSeat['imports'];
  readonly #outputDirectory: DirectoryNode | null;

  /** `seat`: of the units before, which have ended; a new one where absent. */
  constructor(init: HostInit, seat = new HostSeat()) {
    const outputs = new Volume({
      device: 4,
      writable: true,
      limitBytes: init.outputBytes,
      stopsWhenFull: true,
    });
    const files =
      init.root === undefined ? unitRoot(init, outputs) : plainRoot(init.root ?? [], init.scratchBytes);
    const outputDirectory = files.root.entries.get('output');
    this.#outputDirectory =
      init.root === undefined && outputDirectory?.filetype === FILETYPE.directory ? outputDirectory : null;
    this.context = {
      memory: new GuestMemory(),
      files,
      descriptors: standardDescriptors(files, init.root !== null),
      clock: new UnitClock(),
      random: new RandomStream(init.seed),
      args: init.args.map(zeroEnded),
      environ: Object.entries(init.env)
        .sort(([a], [b]) => compareUtf8(a, b))
        .map(([name, value]) => zeroEnded(`${name}=${value}`)),
      stdout: init.keepsStdout ? new MemoryContent(outputs) : null,
      stderr: new TextTail(init.stderrBytes ?? STDERR_TAIL_BYTES),
      charge: init.charge,
      onProgress: init.onProgress,
      onFrame: init.onFrame,
    };
    seat.take(this.context);
    this.imports = seat.imports;
  }

  /** Bytes of `stdout` or of a file in /output, viewed; empty where the app wrote none. */
  output(name: string): Uint8Array {
    if (name === 'stdout') return this.context.stdout?.bytes ?? new Uint8Array(0);
    const content = this.#outputFile(name);
    const bytes = new Uint8Array(content?.size ?? 0);
    content?.read(0, bytes);
    return bytes;
  }

  /** How many bytes {@link output} gives. */
  outputSize(name: string): number {
    return (name === 'stdout' ? this.context.stdout : this.#outputFile(name))?.size ?? 0;
  }

  #outputFile(name: string): FileContent | null {
    const node = this.#outputDirectory?.entries.get(name);
    return node?.filetype === FILETYPE.regularFile ? node.content : null;
  }
}

/** The tree that apps see: only /tmp and /output can be written. */
function unitRoot(init: HostInit, outputs: Volume): FileSystem {
  const inputs = new Volume({ device: 2, writable: false });
  const scratch = new Volume({ device: 3, writable: true, limitBytes: init.scratchBytes });
  const files = new FileSystem(new Volume({ device: 1, writable: false }));
  const inputDirectory = files.addDirectory(files.root, 'input', inputs);
  files.addDirectory(files.root, 'output', outputs);
  files.addDirectory(files.root, 'tmp', scratch);
  const names = [...init.inputs.keys()].sort(compareUtf8);
  for (const name of names) {
    const source = init.inputs.get(name);
    if (source) files.addSource(inputDirectory, name, source);
  }
  return files;
}

function plainRoot(entries: Iterable<RootEntry>, limitBytes: number): FileSystem {
  const files = new FileSystem(new Volume({ device: 1, writable: true, limitBytes }));
  for (const [path, content] of entries) {
    const names = path.split('/');
    const last = names.pop() ?? '';
    let directory = files.root;
    for (const name of names) {
      const next = directory.entries.get(name) ?? files.addDirectory(directory, name);
      if (next.filetype !== FILETYPE.directory) throw new TypeError(`${path}: ${name} is not a directory`);
      directory = next;
    }
    if (content === null) {
      if (directory.entries.get(last) === null) files.addDirectory(directory, last);
    } else if (!addContent(files, directory, last, content)) {
      throw new RangeError(`the prepared root holds more than ${limitBytes} bytes`);
    }
  }
  return files;
}

function addContent(
  files: FileSystem,
  directory: DirectoryNode,
  name: string,
  content: Exclude<RootEntry[1], null>,
): boolean {
  return content instanceof Uint8Array
    ? files.addFile(directory, name).content.write(0, content)
    : files.addSymlink(directory, name, content.target) !== null;
}

/** stdin, stdout, stderr, and the root as descriptor 3. */
function standardDescriptors(files: FileSystem, hasRoot: boolean): DescriptorTable {
  const descriptors = new DescriptorTable(files);
  const stream = { kind: 'stream', inheriting: 0 } as const;
  descriptors.add({ ...stream, stream: 'stdin', rights: STREAM_RIGHTS | RIGHTS.fdRead, flags: 0 });
  const writing = { ...stream, rights: STREAM_RIGHTS | RIGHTS.fdWrite, flags: FDFLAGS.append };
  descriptors.add({ ...writing, stream: 'stdout' });
  descriptors.add({ ...writing, stream: 'stderr' });
  if (!hasRoot) return descriptors;
  descriptors.add({
    kind: 'directory',
    node: files.root,
    rights: DIRECTORY_RIGHTS,
    inheriting: INHERITABLE_RIGHTS,
    flags: 0,
    preopen: '/',
    listing: null,
  });
  return descriptors;
}

function zeroEnded(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}

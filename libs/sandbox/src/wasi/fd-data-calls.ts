import type { Descriptor, FileDescriptor } from './descriptors.js';
import type { FileContent } from './file-content.js';
import { descriptorOr, type HostCalls, type HostContext } from './host-context.js';
import { areInside, buffersOf, readVectors, type IoVectors } from './io-vectors.js';
import { ERRNO, FDFLAGS, RIGHTS, WHENCE, type Errno } from './preview1.js';

/** Reading, writing and seeking through descriptors. */
export function fdDataCalls(context: HostContext): HostCalls {
  /** The buffers of a call, charged and inside the memory. */
  function chargedVectors(address: number, count: number): IoVectors | Errno {
    const vectors = readVectors(context.memory, address >>> 0, count >>> 0);
    if (typeof vectors === 'number') return vectors;
    context.charge(vectors.totalBytes);
    return areInside(context.memory, vectors) ? vectors : ERRNO.fault;
  }

  /** Reads until the request is filled or the file ends, so that no chunk border shows. */
  function readFile(file: FileDescriptor, offset: number, vectors: IoVectors): number {
    let done = 0;
    for (const buffer of buffersOf(context.memory, vectors)) {
      const length = file.node.content.read(offset + done, buffer);
      done += length;
      if (length < buffer.length) break;
    }
    return done;
  }

  function writeContent(content: FileContent, offset: number, vectors: IoVectors): Errno {
    const end = offset + vectors.totalBytes;
    if (vectors.totalBytes === 0) return ERRNO.success;
    if (!Number.isSafeInteger(end)) return ERRNO.fbig;
    // Room for the whole request first: a write happens entirely or not at all.
    if (end > content.size && !content.resize(end)) return ERRNO.nospc;
    let at = offset;
    for (const buffer of buffersOf(context.memory, vectors)) {
      content.write(at, buffer);
      at += buffer.length;
    }
    return ERRNO.success;
  }

  function writeStream(stream: 'stdin' | 'stdout' | 'stderr', vectors: IoVectors): Errno {
    switch (stream) {
      case 'stdin':
        return ERRNO.badf;
      case 'stdout':
        return context.stdout === null
          ? ERRNO.success
          : writeContent(context.stdout, context.stdout.size, vectors);
      case 'stderr':
        for (const buffer of buffersOf(context.memory, vectors)) context.stderr.write(buffer);
        return ERRNO.success;
    }
  }

  return {
    fd_read(fd: number, address: number, count: number, result: number): Errno {
      const vectors = chargedVectors(address, count);
      if (typeof vectors === 'number') return vectors;
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      if (!context.memory.holds(result >>> 0, 4)) return ERRNO.fault;
      if (descriptor.kind === 'stream') {
        return descriptor.stream === 'stdin' ? store(0) : ERRNO.badf;
      }
      const failure = failureOf(descriptor, RIGHTS.fdRead);
      if (failure !== ERRNO.success || descriptor.kind !== 'file') return failure;
      const done = readFile(descriptor, descriptor.offset, vectors);
      descriptor.offset += done;
      return store(done);

      function store(bytes: number): Errno {
        return context.memory.setU32(result >>> 0, bytes) ? ERRNO.success : ERRNO.fault;
      }
    },

    fd_pread(fd: number, address: number, count: number, offset: bigint, result: number): Errno {
      const vectors = chargedVectors(address, count);
      if (typeof vectors === 'number') return vectors;
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      const failure = failureOf(descriptor, RIGHTS.fdRead);
      if (failure !== ERRNO.success || descriptor.kind !== 'file') return failure;
      const at = safeOffset(offset);
      if (at === null) return ERRNO.inval;
      if (!context.memory.holds(result >>> 0, 4)) return ERRNO.fault;
      context.memory.setU32(result >>> 0, readFile(descriptor, at, vectors));
      return ERRNO.success;
    },

    fd_write(fd: number, address: number, count: number, result: number): Errno {
      const vectors = chargedVectors(address, count);
      if (typeof vectors === 'number') return vectors;
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      if (!context.memory.holds(result >>> 0, 4)) return ERRNO.fault;
      let errno: Errno;
      if (descriptor.kind === 'stream') {
        errno = writeStream(descriptor.stream, vectors);
      } else {
        errno = failureOf(descriptor, RIGHTS.fdWrite);
        if (errno !== ERRNO.success || descriptor.kind !== 'file') return errno;
        const appends = (descriptor.flags & FDFLAGS.append) !== 0;
        const offset = appends ? descriptor.node.content.size : descriptor.offset;
        errno = writeContent(descriptor.node.content, offset, vectors);
        if (errno === ERRNO.success) descriptor.offset = offset + vectors.totalBytes;
      }
      if (errno === ERRNO.success) context.memory.setU32(result >>> 0, vectors.totalBytes);
      return errno;
    },

    fd_pwrite(fd: number, address: number, count: number, offset: bigint, result: number): Errno {
      const vectors = chargedVectors(address, count);
      if (typeof vectors === 'number') return vectors;
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      const failure = failureOf(descriptor, RIGHTS.fdWrite);
      if (failure !== ERRNO.success || descriptor.kind !== 'file') return failure;
      const at = safeOffset(offset);
      if (at === null) return ERRNO.inval;
      if (!context.memory.holds(result >>> 0, 4)) return ERRNO.fault;
      // As POSIX has it, an appending descriptor decides only where writes without an offset go.
      const errno = writeContent(descriptor.node.content, at, vectors);
      if (errno === ERRNO.success) context.memory.setU32(result >>> 0, vectors.totalBytes);
      return errno;
    },

    fd_seek(fd: number, delta: bigint, whence: number, result: number): Errno {
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      if (descriptor.kind === 'stream') return ERRNO.spipe;
      if (descriptor.kind === 'directory') return ERRNO.badf;
      const from =
        whence === WHENCE.set
          ? 0
          : whence === WHENCE.cur
            ? descriptor.offset
            : whence === WHENCE.end
              ? descriptor.node.content.size
              : null;
      if (from === null) return ERRNO.inval;
      const offset = BigInt.asIntN(64, delta) + BigInt(from);
      if (offset < 0n) return ERRNO.inval;
      if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return ERRNO.overflow;
      if (!context.memory.setU64(result >>> 0, offset)) return ERRNO.fault;
      descriptor.offset = Number(offset);
      return ERRNO.success;
    },

    fd_tell(fd: number, result: number): Errno {
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      if (descriptor.kind === 'stream') return ERRNO.spipe;
      if (descriptor.kind === 'directory') return ERRNO.badf;
      return context.memory.setU64(result >>> 0, BigInt(descriptor.offset)) ? ERRNO.success : ERRNO.fault;
    },

    fd_allocate(fd: number, offset: bigint, length: bigint): Errno {
      context.charge(Number(BigInt.asUintN(64, length)));
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      const failure = failureOf(descriptor, RIGHTS.fdWrite);
      if (failure !== ERRNO.success || descriptor.kind !== 'file') return failure;
      const end = safeOffset(BigInt.asUintN(64, offset) + BigInt.asUintN(64, length));
      if (length === 0n) return ERRNO.inval;
      if (end === null) return ERRNO.fbig;
      const { content } = descriptor.node;
      return end <= content.size || content.resize(end) ? ERRNO.success : ERRNO.nospc;
    },

    fd_filestat_set_size(fd: number, size: bigint): Errno {
      context.charge(Number(BigInt.asUintN(64, size)));
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      const failure = failureOf(descriptor, RIGHTS.fdWrite);
      if (failure !== ERRNO.success || descriptor.kind !== 'file') {
        // POSIX: a descriptor that cannot be written cannot be truncated either, and says EINVAL.
        return failure === ERRNO.badf ? ERRNO.inval : failure;
      }
      const target = safeOffset(BigInt.asUintN(64, size));
      if (target === null) return ERRNO.fbig;
      return descriptor.node.content.resize(target) ? ERRNO.success : ERRNO.nospc;
    },
  };
}

/** Why the descriptor's bytes cannot be used with `right`, or success. */
function failureOf(descriptor: Descriptor, right: number): Errno {
  if (descriptor.kind === 'stream') return ERRNO.spipe;
  if (descriptor.kind === 'directory') return right === RIGHTS.fdRead ? ERRNO.isdir : ERRNO.badf;
  return (descriptor.rights & right) === 0 ? ERRNO.badf : ERRNO.success;
}

/** An unsigned 64-bit offset as a number, null beyond what a number holds exactly. */
function safeOffset(offset: bigint): number | null {
  const unsigned = BigInt.asUintN(64, offset);
  return unsigned <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(unsigned) : null;
}

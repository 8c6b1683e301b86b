import { filetypeOf, type DirectoryDescriptor } from './descriptors.js';
import { newStat, setTimes, writeFilestat } from './filestat.js';
import { descriptorOr, directoryOr, type HostCalls, type HostContext } from './host-context.js';
import { ADVICES, ERRNO, FDFLAGS, rightsOf, type Errno } from './preview1.js';

const FDSTAT_BYTES = 24;
const PRESTAT_BYTES = 8;
const DIRENT_BYTES = 24;

/** What can be asked about and done to a descriptor, apart from its file's bytes. */
export function fdCalls(context: HostContext): HostCalls {
  function onOpen(fd: number): Errno {
    return context.descriptors.get(fd) === null ? ERRNO.badf : ERRNO.success;
  }

  return {
    fd_close(fd: number): Errno {
      if (context.descriptors.get(fd) === null) return ERRNO.badf;
      context.descriptors.close(fd);
      return ERRNO.success;
    },

    fd_renumber(from: number, to: number): Errno {
      if (context.descriptors.get(from) === null || context.descriptors.get(to) === null) return ERRNO.badf;
      context.descriptors.renumber(from, to);
      return ERRNO.success;
    },

    fd_sync: onOpen,
    fd_datasync: onOpen,

    fd_advise(fd: number, _offset: bigint, _length: bigint, advice: number): Errno {
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      if (descriptor.kind === 'stream') return ERRNO.spipe;
      if (descriptor.kind === 'directory') return ERRNO.badf;
      return advice >>> 0 < ADVICES ? ERRNO.success : ERRNO.inval;
    },

    fd_fdstat_get(fd: number, address: number): Errno {
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      const at = address >>> 0;
      if (!context.memory.holds(at, FDSTAT_BYTES)) return ERRNO.fault;
      context.memory.slice(at, FDSTAT_BYTES).fill(0);
      const { view } = context.memory;
      view.setUint8(at, filetypeOf(descriptor));
      view.setUint16(at + 2, descriptor.flags, true);
      view.setBigUint64(at + 8, BigInt(descriptor.rights), true);
      view.setBigUint64(at + 16, BigInt(descriptor.inheriting), true);
      return ERRNO.success;
    },

    fd_fdstat_set_flags(fd: number, flags: number): Errno {
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      if ((flags & ~FDFLAGS.all) !== 0) return ERRNO.inval;
      if (descriptor.kind === 'directory') return ERRNO.badf;
      descriptor.flags = flags;
      return ERRNO.success;
    },

    /** Rights can be given up, never gained. */
    fd_fdstat_set_rights(fd: number, base: bigint, inheriting: bigint): Errno {
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      const gains =
        (BigInt.asUintN(64, base) & ~BigInt(descriptor.rights)) |
        (BigInt.asUintN(64, inheriting) & ~BigInt(descriptor.inheriting));
      if (gains !== 0n) return ERRNO.notcapable;
      descriptor.rights = rightsOf(base);
      descriptor.inheriting = rightsOf(inheriting);
      return ERRNO.success;
    },

    fd_filestat_get(fd: number, address: number): Errno {
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      const stat = descriptor.kind === 'stream' ? null : newStat(descriptor.node);
      return writeFilestat(context.memory, address >>> 0, stat) ? ERRNO.success : ERRNO.fault;
    },

    fd_filestat_set_times(fd: number, access: bigint, modification: bigint, flags: number): Errno {
      const descriptor = descriptorOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      if (descriptor.kind === 'stream') return ERRNO.badf;
      return setTimes(descriptor.node, context.clock, access, modification, flags);
    },

    fd_prestat_get(fd: number, address: number): Errno {
      const descriptor = directoryOr(context, fd);
      if (typeof descriptor === 'number' || descriptor.preopen === null) return ERRNO.badf;
      const at = address >>> 0;
      if (!context.memory.holds(at, PRESTAT_BYTES)) return ERRNO.fault;
      context.memory.setU32(at, 0);
      context.memory.setU32(at + 4, new TextEncoder().encode(descriptor.preopen).length);
      return ERRNO.success;
    },

    fd_prestat_dir_name(fd: number, address: number, length: number): Errno {
      context.charge(length >>> 0);
      const descriptor = directoryOr(context, fd);
      if (typeof descriptor === 'number' || descriptor.preopen === null) return ERRNO.badf;
      const name = new TextEncoder().encode(descriptor.preopen);
      if (length >>> 0 < name.length) return ERRNO.nametoolong;
      if (!context.memory.holds(address >>> 0, name.length)) return ERRNO.fault;
      context.memory.slice(address >>> 0, name.length).set(name);
      return ERRNO.success;
    },

    fd_readdir(fd: number, address: number, length: number, cookie: bigint, result: number): Errno {
      context.charge(length >>> 0);
      const descriptor = directoryOr(context, fd);
      if (typeof descriptor === 'number') return descriptor;
      const at = address >>> 0;
      if (!context.memory.holds(at, length >>> 0) || !context.memory.holds(result >>> 0, 4))
        return ERRNO.fault;
      const used = listInto(context.memory.slice(at, length >>> 0), descriptor, cookie);
      context.memory.setU32(result >>> 0, used);
      return ERRNO.success;
    },
  };
}

/**
 * Writes directory entries from `cookie` on; the last one is cut where the buffer ends, which tells the caller that
 * there is more. The names are taken when listing starts, so that deleting while listing skips nothing.
 */
function listInto(target: Uint8Array, directory: DirectoryDescriptor, cookie: bigint): number {
  const { entries, parent } = directory.node;
  if (cookie === 0n || directory.listing === null) directory.listing = ['.', '..', ...entries.names()];
  const names = directory.listing;
  let used = 0;
  for (let i = Number(BigInt.asUintN(53, cookie)); i < names.length && used < target.length; i++) {
    const name = names[i] ?? '';
    const node =
      name === '.' ? directory.node : name === '..' ? (parent ?? directory.node) : entries.get(name);
    if (node === null) continue;
    const nameBytes = new TextEncoder().encode(name);
    const entry = new Uint8Array(DIRENT_BYTES + nameBytes.length);
    const view = new DataView(entry.buffer);
    view.setBigUint64(0, BigInt(i + 1), true);
    view.setBigUint64(8, node.inode, true);
    view.setUint32(16, nameBytes.length, true);
    view.setUint8(20, node.filetype);
    entry.set(nameBytes, DIRENT_BYTES);
    const part = entry.subarray(0, target.length - used);
    target.set(part, used);
    used += part.length;
  }
  return used;
}

import { newStat, setTimes, writeFilestat } from './filestat.js';
import { directoryOr, type HostCalls, type HostContext } from './host-context.js';
import { openPath } from './path-open.js';
import { renamePath } from './path-rename.js';
import { ERRNO, FILETYPE, LOOKUP, rightsOf, type Errno } from './preview1.js';
import { resolvePath, type Place } from './resolve-path.js';

const MAX_LINKS = 32_000;
const MAX_TARGET_UNITS = 4096;

/** Calls that name files by a path below an open directory. */
export function pathCalls(context: HostContext): HostCalls {
  function textAt(address: number, length: number): string | Errno {
    if (!context.memory.holds(address >>> 0, length >>> 0)) return ERRNO.fault;
    return context.memory.text(address >>> 0, length >>> 0) ?? ERRNO.ilseq;
  }

  /** The place that a path names, after its length was charged. */
  function placeAt(fd: number, address: number, length: number, follow: boolean): Place | Errno {
    const base = directoryOr(context, fd);
    if (typeof base === 'number') return base;
    const path = textAt(address, length);
    return typeof path === 'number' ? path : resolvePath(base.node, path, follow);
  }

  /** Why a new name cannot be made at a place, or success. */
  function creationFailure(place: Place): Errno {
    if (place.node !== null) return ERRNO.exist;
    if (place.parent.links === 0) return ERRNO.noent;
    if (!place.parent.volume.writable) return ERRNO.rofs;
    return context.files.isFull ? ERRNO.nospc : ERRNO.success;
  }

  return {
    path_open(
      fd: number,
      dirflags: number,
      address: number,
      length: number,
      oflags: number,
      rights: bigint,
      inheriting: bigint,
      fdflags: number,
      result: number,
    ): Errno {
      context.charge(length >>> 0);
      const path = textAt(address, length);
      if (typeof path === 'number') return path;
      if (!context.memory.holds(result >>> 0, 4)) return ERRNO.fault;
      const opened = openPath(context, {
        directoryFd: fd,
        path,
        follow: (dirflags & LOOKUP.symlinkFollow) !== 0,
        oflags,
        rights: rightsOf(rights),
        inheriting: rightsOf(inheriting),
        fdflags,
      });
      if (opened < 0) return -opened;
      context.memory.setU32(result >>> 0, opened);
      return ERRNO.success;
    },

    path_create_directory(fd: number, address: number, length: number): Errno {
      context.charge(length >>> 0);
      const place = placeAt(fd, address, length, false);
      if (typeof place === 'number') return place === ERRNO.notdir ? ERRNO.exist : place;
      const failure = creationFailure(place);
      if (failure === ERRNO.success) context.files.addDirectory(place.parent, place.name);
      return failure;
    },

    path_remove_directory(fd: number, address: number, length: number): Errno {
      context.charge(length >>> 0);
      const place = placeAt(fd, address, length, false);
      if (typeof place === 'number') return place;
      const { node, name, parent } = place;
      if (node === null) return ERRNO.noent;
      if (node.filetype !== FILETYPE.directory) return ERRNO.notdir;
      if (name === '.') return ERRNO.inval;
      if (!parent.volume.writable) return ERRNO.rofs;
      if (node.entries.size > 0) return ERRNO.notempty;
      context.files.unlink(parent, name);
      return ERRNO.success;
    },

    path_unlink_file(fd: number, address: number, length: number): Errno {
      context.charge(length >>> 0);
      const place = placeAt(fd, address, length, false);
      if (typeof place === 'number') return place;
      const { node, name, parent } = place;
      if (node === null) return ERRNO.noent;
      if (node.filetype === FILETYPE.directory) return ERRNO.isdir;
      if (!parent.volume.writable) return ERRNO.rofs;
      context.files.unlink(parent, name);
      return ERRNO.success;
    },

    path_rename(
      oldFd: number,
      oldAddress: number,
      oldLength: number,
      newFd: number,
      newAddress: number,
      newLength: number,
    ): Errno {
      context.charge((oldLength >>> 0) + (newLength >>> 0));
      const from = placeAt(oldFd, oldAddress, oldLength, false);
      if (typeof from === 'number') return from;
      const to = placeAt(newFd, newAddress, newLength, false);
      return typeof to === 'number' ? to : renamePath(context.files, from, to);
    },

    path_link(
      oldFd: number,
      oldFlags: number,
      oldAddress: number,
      oldLength: number,
      newFd: number,
      newAddress: number,
      newLength: number,
    ): Errno {
      context.charge((oldLength >>> 0) + (newLength >>> 0));
      // Links to what a link points at are refused, as by other hosts: the target may lie anywhere.
      if ((oldFlags & LOOKUP.symlinkFollow) !== 0) return ERRNO.inval;
      const from = placeAt(oldFd, oldAddress, oldLength, false);
      if (typeof from === 'number') return from;
      if (from.node === null) return ERRNO.noent;
      const to = placeAt(newFd, newAddress, newLength, false);
      if (typeof to === 'number') return to;
      if (from.node.filetype === FILETYPE.directory) return ERRNO.perm;
      if (to.node === null && to.wantsDirectory) return ERRNO.noent;
      const failure = creationFailure(to);
      if (failure !== ERRNO.success) return failure;
      if (from.node.volume !== to.parent.volume) return ERRNO.xdev;
      if (from.node.links >= MAX_LINKS) return ERRNO.mlink;
      context.files.link(to.parent, to.name, from.node);
      return ERRNO.success;
    },

    path_symlink(
      targetAddress: number,
      targetLength: number,
      fd: number,
      address: number,
      length: number,
    ): Errno {
      context.charge((targetLength >>> 0) + (length >>> 0));
      const target = textAt(targetAddress, targetLength);
      if (typeof target === 'number') return target;
      if (target.length === 0) return ERRNO.noent;
      if (target.length > MAX_TARGET_UNITS) return ERRNO.nametoolong;
      if (target.includes('\0')) return ERRNO.inval;
      if (target.startsWith('/')) return ERRNO.notcapable;
      const place = placeAt(fd, address, length, false);
      if (typeof place === 'number') return place === ERRNO.notdir ? ERRNO.exist : place;
      if (place.node === null && place.wantsDirectory) return ERRNO.noent;
      const failure = creationFailure(place);
      if (failure !== ERRNO.success) return failure;
      return context.files.addSymlink(place.parent, place.name, target) === null
        ? ERRNO.nospc
        : ERRNO.success;
    },

    path_readlink(
      fd: number,
      address: number,
      length: number,
      buffer: number,
      bufferLength: number,
      result: number,
    ): Errno {
      context.charge((length >>> 0) + (bufferLength >>> 0));
      const place = placeAt(fd, address, length, false);
      if (typeof place === 'number') return place;
      if (place.node === null) return ERRNO.noent;
      if (place.node.filetype !== FILETYPE.symbolicLink) return ERRNO.inval;
      if (!context.memory.holds(buffer >>> 0, bufferLength >>> 0) || !context.memory.holds(result >>> 0, 4))
        return ERRNO.fault;
      // As POSIX has it, what does not fit is cut off.
      const target = new TextEncoder().encode(place.node.target).subarray(0, bufferLength >>> 0);
      context.memory.slice(buffer >>> 0, target.length).set(target);
      context.memory.setU32(result >>> 0, target.length);
      return ERRNO.success;
    },

    path_filestat_get(fd: number, flags: number, address: number, length: number, result: number): Errno {
      context.charge(length >>> 0);
      const place = placeAt(fd, address, length, (flags & LOOKUP.symlinkFollow) !== 0);
      if (typeof place === 'number') return place;
      if (place.node === null) return ERRNO.noent;
      return writeFilestat(context.memory, result >>> 0, newStat(place.node)) ? ERRNO.success : ERRNO.fault;
    },

    path_filestat_set_times(
      fd: number,
      flags: number,
      address: number,
      length: number,
      access: bigint,
      modification: bigint,
      fstflags: number,
    ): Errno {
      context.charge(length >>> 0);
      const place = placeAt(fd, address, length, (flags & LOOKUP.symlinkFollow) !== 0);
      if (typeof place === 'number') return place;
      if (place.node === null) return ERRNO.noent;
      return setTimes(place.node, context.clock, access, modification, fstflags);
    },
  };
}

import type { FileSystem } from './file-system.js';
import type { DirectoryNode, FileSystemNode } from './nodes.js';
import { ERRNO, FILETYPE, type Errno } from './preview1.js';
import type { Place } from './resolve-path.js';

/** Moves a name, replacing a file by a file or an empty directory by a directory, as POSIX has it. */
export function renamePath(files: FileSystem, from: Place, to: Place): Errno {
  if (from.node === null) return ERRNO.noent;
  if (from.name === '.' || to.name === '.') return ERRNO.inval;
  if (!from.parent.volume.writable || !to.parent.volume.writable) return ERRNO.rofs;
  if (from.parent.volume !== to.parent.volume) return ERRNO.xdev;
  if (to.parent.links === 0) return ERRNO.noent;
  const isDirectory = from.node.filetype === FILETYPE.directory;
  if (to.wantsDirectory && !isDirectory) return ERRNO.notdir;
  if (from.node.filetype === FILETYPE.directory && isInside(to.parent, from.node)) return ERRNO.inval;
  if (from.node === to.node) return ERRNO.success;
  if (to.node !== null) {
    const failure = replaceFailure(isDirectory, to.node);
    if (failure !== ERRNO.success) return failure;
    files.unlink(to.parent, to.name);
  }
  files.link(to.parent, to.name, from.node);
  files.unlink(from.parent, from.name);
  return ERRNO.success;
}

function replaceFailure(byDirectory: boolean, replaced: FileSystemNode): Errno {
  if (replaced.filetype !== FILETYPE.directory) return byDirectory ? ERRNO.notdir : ERRNO.success;
  if (!byDirectory) return ERRNO.isdir;
  return replaced.entries.size > 0 ? ERRNO.notempty : ERRNO.success;
}

function isInside(directory: DirectoryNode, ancestor: DirectoryNode): boolean {
  for (let here: DirectoryNode | null = directory; here !== null; here = here.parent) {
    if (here === ancestor) return true;
  }
  return false;
}

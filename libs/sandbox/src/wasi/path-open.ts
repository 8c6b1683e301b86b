import { directoryOr, type HostContext } from './host-context.js';
import type { FileSystemNode } from './nodes.js';
import {
  DIRECTORY_RIGHTS,
  ERRNO,
  FDFLAGS,
  FILE_RIGHTS,
  FILETYPE,
  OFLAGS,
  RIGHTS,
  type Errno,
} from './preview1.js';
import { resolvePath } from './resolve-path.js';

/** What `path_open` was asked. Rights as 28-bit masks. */
export interface OpenRequest {
  readonly directoryFd: number;
  readonly path: string;
  readonly follow: boolean;
  readonly oflags: number;
  readonly rights: number;
  readonly inheriting: number;
  readonly fdflags: number;
}

/** Opens, and where asked creates or truncates, a file or directory. The descriptor's number, or minus the error code. */
export function openPath(context: HostContext, request: OpenRequest): number {
  const { descriptors } = context;
  const base = directoryOr(context, request.directoryFd);
  if (typeof base === 'number') return -base;
  if ((request.oflags & ~OFLAGS.all) !== 0 || (request.fdflags & ~FDFLAGS.all) !== 0) return -ERRNO.inval;
  if (descriptors.isFull) return -ERRNO.mfile;

  const node = findOrCreate(context, request);
  if (typeof node === 'number') return -node;
  const failure = openFailure(node, request);
  if (failure !== ERRNO.success) return -failure;

  const allowed = base.inheriting & request.rights;
  const inheriting = base.inheriting & request.inheriting;
  if (node.filetype === FILETYPE.directory) {
    const rights = allowed & DIRECTORY_RIGHTS;
    return descriptors.add({
      kind: 'directory',
      node,
      rights,
      inheriting,
      flags: 0,
      preopen: null,
      listing: null,
    });
  }
  if (node.filetype !== FILETYPE.regularFile) return -ERRNO.loop;
  if ((request.oflags & OFLAGS.trunc) !== 0) {
    if ((base.rights & RIGHTS.pathFilestatSetSize) === 0) return -ERRNO.notcapable;
    if (!node.volume.writable) return -ERRNO.rofs;
    node.content.resize(0);
  }
  const rights = allowed & FILE_RIGHTS;
  return descriptors.add({ kind: 'file', node, rights, inheriting, flags: request.fdflags, offset: 0 });
}

function findOrCreate(context: HostContext, request: OpenRequest): FileSystemNode | Errno {
  const base = directoryOr(context, request.directoryFd);
  if (typeof base === 'number') return base;
  const creates = (request.oflags & OFLAGS.creat) !== 0;
  const wantsDirectory = (request.oflags & OFLAGS.directory) !== 0;
  if (creates && wantsDirectory) return ERRNO.inval;
  // A new name never goes through a link that somebody may have put there.
  const isExclusive = creates && (request.oflags & OFLAGS.excl) !== 0;
  const place = resolvePath(base.node, request.path, request.follow && !isExclusive);
  if (typeof place === 'number') return place;
  if (place.node !== null) {
    if (isExclusive) return ERRNO.exist;
    if (place.node.filetype === FILETYPE.symbolicLink) return ERRNO.loop;
    return wantsDirectory && place.node.filetype !== FILETYPE.directory ? ERRNO.notdir : place.node;
  }
  if (!creates) return ERRNO.noent;
  if (place.wantsDirectory) return ERRNO.isdir;
  if (place.parent.links === 0) return ERRNO.noent;
  if (!place.parent.volume.writable) return ERRNO.rofs;
  if (context.files.isFull) return ERRNO.nospc;
  return context.files.addFile(place.parent, place.name);
}

function openFailure(node: FileSystemNode, request: OpenRequest): Errno {
  const writes = (request.rights & RIGHTS.fdWrite) !== 0;
  if (node.filetype === FILETYPE.directory) return writes ? ERRNO.isdir : ERRNO.success;
  return writes && !node.volume.writable ? ERRNO.rofs : ERRNO.success;
}

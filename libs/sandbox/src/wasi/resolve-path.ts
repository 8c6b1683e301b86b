import type { DirectoryNode, FileSystemNode } from './nodes.js';
import { ERRNO, FILETYPE, type Errno } from './preview1.js';

const MAX_PATH_UNITS = 4096;
const MAX_NAME_BYTES = 255;
const MAX_SYMLINKS = 32;

/** Where a path leads: `node` is null where the parent exists and has no such name. */
export interface Place {
  readonly parent: DirectoryNode;
  /** The last name, `.` where the path ends at a directory without naming it in its parent (`.`, `a/..`). */
  readonly name: string;
  readonly node: FileSystemNode | null;
  /** The path ended with a slash. */
  readonly wantsDirectory: boolean;
}

/**
 * Walks `path` from `base`, which it never leaves: absolute paths, absolute links and `..` above `base` fail with
 * `notcapable`. A link at the end is followed only where `follow` says so (or a slash follows it).
 */
export function resolvePath(base: DirectoryNode, path: string, follow: boolean): Place | Errno {
  if (path.length === 0) return ERRNO.noent;
  if (path.length > MAX_PATH_UNITS) return ERRNO.nametoolong;
  if (path.includes('\0')) return ERRNO.inval;
  if (path.startsWith('/')) return ERRNO.notcapable;

  const trail = [base];
  const pending = componentsOf(path).reverse();
  let wantsDirectory = path.endsWith('/');
  let symlinks = 0;
  let here = base;
  for (;;) {
    const name = pending.pop();
    if (name === undefined) return { parent: here, name: '.', node: here, wantsDirectory };
    if (name === '.') continue;
    if (name === '..') {
      trail.pop();
      const above = trail.at(-1);
      if (above === undefined) return ERRNO.notcapable;
      here = above;
      continue;
    }
    if (isTooLong(name)) return ERRNO.nametoolong;
    const isLast = pending.length === 0;
    const node = here.entries.get(name);
    if (node === null) return isLast ? { parent: here, name, node, wantsDirectory } : ERRNO.noent;
    if (node.filetype === FILETYPE.symbolicLink && (!isLast || follow || wantsDirectory)) {
      if (++symlinks > MAX_SYMLINKS) return ERRNO.loop;
      if (node.target.startsWith('/')) return ERRNO.notcapable;
      if (isLast && node.target.endsWith('/')) wantsDirectory = true;
      pending.push(...componentsOf(node.target).reverse());
      continue;
    }
    if (isLast) {
      if (wantsDirectory && node.filetype !== FILETYPE.directory) return ERRNO.notdir;
      return { parent: here, name, node, wantsDirectory };
    }
    if (node.filetype !== FILETYPE.directory) return ERRNO.notdir;
    trail.push(node);
    here = node;
  }
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((component) => component !== '');
}

function isTooLong(name: string): boolean {
  if (name.length * 3 <= MAX_NAME_BYTES) return false;
  return new TextEncoder().encode(name).length > MAX_NAME_BYTES;
}

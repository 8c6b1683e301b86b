/**
 * Numbers of WASI preview 1 (`wasi_snapshot_preview1.witx`): error codes, file types, flags and rights, as far as the
 * host uses them.
 */

/** A result code of a host call; 0 is success. Functions that can fail return `T | Errno`. */
export type Errno = number;

export const ERRNO = {
  success: 0,
  acces: 2,
  badf: 8,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  io: 29,
  isdir: 31,
  loop: 32,
  mfile: 33,
  mlink: 34,
  nametoolong: 37,
  noent: 44,
  nospc: 51,
  nosys: 52,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  overflow: 61,
  perm: 63,
  rofs: 69,
  spipe: 70,
  xdev: 75,
  notcapable: 76,
} as const;

export const FILETYPE = {
  unknown: 0,
  blockDevice: 1,
  characterDevice: 2,
  directory: 3,
  regularFile: 4,
  symbolicLink: 7,
} as const;

export const OFLAGS = { creat: 1, directory: 2, excl: 4, trunc: 8, all: 15 } as const;
export const FDFLAGS = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16, all: 31 } as const;
export const FSTFLAGS = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8, all: 15 } as const;
export const LOOKUP = { symlinkFollow: 1 } as const;
export const WHENCE = { set: 0, cur: 1, end: 2 } as const;
export const EVENT = { clock: 0, fdRead: 1, fdWrite: 2 } as const;
/** Realtime, monotonic, process and thread time: all four read the unit's one clock. */
export const CLOCKS = 4;
export const ADVICES = 6;
export const SIGNALS = 31;

/** Rights are 30 bits of the 64 that the interface passes, so they fit a number. */
export const RIGHTS = {
  fdDatasync: 1 << 0,
  fdRead: 1 << 1,
  fdSeek: 1 << 2,
  fdFdstatSetFlags: 1 << 3,
  fdSync: 1 << 4,
  fdTell: 1 << 5,
  fdWrite: 1 << 6,
  fdAdvise: 1 << 7,
  fdAllocate: 1 << 8,
  pathCreateDirectory: 1 << 9,
  pathCreateFile: 1 << 10,
  pathLinkSource: 1 << 11,
  pathLinkTarget: 1 << 12,
  pathOpen: 1 << 13,
  fdReaddir: 1 << 14,
  pathReadlink: 1 << 15,
  pathRenameSource: 1 << 16,
  pathRenameTarget: 1 << 17,
  pathFilestatGet: 1 << 18,
  pathFilestatSetSize: 1 << 19,
  pathFilestatSetTimes: 1 << 20,
  fdFilestatGet: 1 << 21,
  fdFilestatSetSize: 1 << 22,
  fdFilestatSetTimes: 1 << 23,
  pathSymlink: 1 << 24,
  pathRemoveDirectory: 1 << 25,
  pathUnlinkFile: 1 << 26,
  pollFdReadwrite: 1 << 27,
} as const;

const ALL_RIGHTS = (1 << 28) - 1;
/** What a regular file can be asked. */
export const FILE_RIGHTS =
  RIGHTS.fdDatasync |
  RIGHTS.fdRead |
  RIGHTS.fdSeek |
  RIGHTS.fdFdstatSetFlags |
  RIGHTS.fdSync |
  RIGHTS.fdTell |
  RIGHTS.fdWrite |
  RIGHTS.fdAdvise |
  RIGHTS.fdAllocate |
  RIGHTS.fdFilestatGet |
  RIGHTS.fdFilestatSetSize |
  RIGHTS.fdFilestatSetTimes |
  RIGHTS.pollFdReadwrite;
/** What a directory can be asked, and what it passes on to what is opened through it. */
export const DIRECTORY_RIGHTS =
  ALL_RIGHTS &
  ~(
    RIGHTS.fdRead |
    RIGHTS.fdSeek |
    RIGHTS.fdTell |
    RIGHTS.fdWrite |
    RIGHTS.fdAllocate |
    RIGHTS.fdAdvise |
    RIGHTS.fdFilestatSetSize
  );
export const INHERITABLE_RIGHTS = ALL_RIGHTS;
/** What standard streams can be asked: without seek and tell, so that no C library takes them for a terminal's or a file's. */
export const STREAM_RIGHTS =
  RIGHTS.fdFdstatSetFlags | RIGHTS.fdFilestatGet | RIGHTS.fdSync | RIGHTS.fdDatasync | RIGHTS.pollFdReadwrite;

/** The rights of a 64-bit argument as a number. */
export function rightsOf(argument: bigint): number {
  return Number(BigInt.asUintN(28, argument));
}

import type { GuestMemory } from './guest-memory.js';
import type { FileSystemNode } from './nodes.js';
import { ERRNO, FILETYPE, FSTFLAGS, type Errno } from './preview1.js';
import { CLOCK_START_NS, type UnitClock } from './unit-clock.js';

const FILESTAT_BYTES = 64;

interface Filestat {
  readonly device: bigint;
  readonly inode: bigint;
  readonly filetype: number;
  readonly links: number;
  readonly size: number;
  readonly accessNs: bigint;
  readonly modificationNs: bigint;
}

/** What can be told about a node; nothing in it comes from the machine. */
export function newStat(node: FileSystemNode): Filestat {
  return {
    device: node.volume.device,
    inode: node.inode,
    filetype: node.filetype,
    links: node.links,
    size: sizeOf(node),
    ...node.times,
  };
}

/** Writes a `filestat`; standard streams (null) are all zeros but for their times. */
export function writeFilestat(memory: GuestMemory, address: number, stat: Filestat | null): boolean {
  if (!memory.holds(address, FILESTAT_BYTES)) return false;
  memory.slice(address, FILESTAT_BYTES).fill(0);
  const { view } = memory;
  view.setBigUint64(address, stat?.device ?? 0n, true);
  view.setBigUint64(address + 8, stat?.inode ?? 0n, true);
  view.setUint8(address + 16, stat?.filetype ?? FILETYPE.unknown);
  view.setBigUint64(address + 24, BigInt(stat?.links ?? 1), true);
  view.setBigUint64(address + 32, BigInt(stat?.size ?? 0), true);
  view.setBigUint64(address + 40, stat?.accessNs ?? CLOCK_START_NS, true);
  view.setBigUint64(address + 48, stat?.modificationNs ?? CLOCK_START_NS, true);
  view.setBigUint64(address + 56, CLOCK_START_NS, true);
  return true;
}

/** Sets the times that `flags` (FSTFLAGS) choose, to the given ones or to the unit's clock. */
export function setTimes(
  node: FileSystemNode,
  clock: UnitClock,
  accessNs: bigint,
  modificationNs: bigint,
  flags: number,
): Errno {
  const has = (flag: number) => (flags & flag) !== 0;
  if ((flags & ~FSTFLAGS.all) !== 0) return ERRNO.inval;
  if (has(FSTFLAGS.atim) && has(FSTFLAGS.atimNow)) return ERRNO.inval;
  if (has(FSTFLAGS.mtim) && has(FSTFLAGS.mtimNow)) return ERRNO.inval;
  if (!node.volume.writable) return ERRNO.rofs;
  if (has(FSTFLAGS.atim)) node.times.accessNs = BigInt.asUintN(64, accessNs);
  if (has(FSTFLAGS.atimNow)) node.times.accessNs = clock.realtimeNs;
  if (has(FSTFLAGS.mtim)) node.times.modificationNs = BigInt.asUintN(64, modificationNs);
  if (has(FSTFLAGS.mtimNow)) node.times.modificationNs = clock.realtimeNs;
  return ERRNO.success;
}

function sizeOf(node: FileSystemNode): number {
  if (node.filetype === FILETYPE.regularFile) return node.content.size;
  return node.filetype === FILETYPE.symbolicLink ? new TextEncoder().encode(node.target).length : 0;
}

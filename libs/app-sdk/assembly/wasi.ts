/**
 * The functions of WASI preview 1 and of the host that apps import; nothing else of this SDK touches the outside.
 * Names and signatures: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */

/** Success; every other errno is a failure. */
export const ERRNO_SUCCESS: i32 = 0;

export const RIGHT_FD_READ: u64 = 1 << 1;
export const RIGHT_FD_SEEK: u64 = 1 << 2;
export const RIGHT_FD_TELL: u64 = 1 << 5;
export const RIGHT_FD_WRITE: u64 = 1 << 6;
export const RIGHT_FD_FILESTAT_GET: u64 = 1 << 21;

export const OFLAG_CREATE: i32 = 1;
export const OFLAG_TRUNCATE: i32 = 8;

@external("wasi_snapshot_preview1", "args_sizes_get")
export declare function args_sizes_get(count: usize, bytes: usize): i32;
@external("wasi_snapshot_preview1", "args_get")
export declare function args_get(pointers: usize, bytes: usize): i32;
@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function environ_sizes_get(count: usize, bytes: usize): i32;
@external("wasi_snapshot_preview1", "environ_get")
export declare function environ_get(pointers: usize, bytes: usize): i32;
@external("wasi_snapshot_preview1", "fd_prestat_get")
export declare function fd_prestat_get(fd: i32, prestat: usize): i32;
@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
export declare function fd_prestat_dir_name(fd: i32, path: usize, pathBytes: usize): i32;
@external("wasi_snapshot_preview1", "path_open")
export declare function path_open(
  directory: i32, lookup: i32, path: usize, pathBytes: usize, oflags: i32,
  rights: u64, rightsInheriting: u64, fdflags: i32, fd: usize,
): i32;
@external("wasi_snapshot_preview1", "fd_filestat_get")
export declare function fd_filestat_get(fd: i32, stat: usize): i32;
@external("wasi_snapshot_preview1", "fd_read")
export declare function fd_read(fd: i32, iovs: usize, iovCount: i32, bytesRead: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
export declare function fd_write(fd: i32, iovs: usize, iovCount: i32, bytesWritten: usize): i32;
@external("wasi_snapshot_preview1", "fd_seek")
export declare function fd_seek(fd: i32, offset: i64, whence: i32, position: usize): i32;
@external("wasi_snapshot_preview1", "fd_close")
export declare function fd_close(fd: i32): i32;
@external("wasi_snapshot_preview1", "proc_exit")
export declare function proc_exit(code: i32): void;
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(buffer: usize, bytes: usize): i32;

@external("gleaner", "progress")
export declare function host_progress(permille: i32): void;
@external("gleaner", "frame")
export declare function host_frame(pointer: usize, bytes: usize): void;

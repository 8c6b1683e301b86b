/**
 * Functions that a module may import, with their signatures in letters (i = i32, l = i64; `parameters>results`).
 * Source of the first: WASI preview 1 (`wasi_snapshot_preview1.witx`), lowered to core types.
 */
export const HOST_IMPORTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  wasi_snapshot_preview1: {
    args_get: 'ii>i',
    args_sizes_get: 'ii>i',
    clock_res_get: 'ii>i',
    clock_time_get: 'ili>i',
    environ_get: 'ii>i',
    environ_sizes_get: 'ii>i',
    fd_advise: 'illi>i',
    fd_allocate: 'ill>i',
    fd_close: 'i>i',
    fd_datasync: 'i>i',
    fd_fdstat_get: 'ii>i',
    fd_fdstat_set_flags: 'ii>i',
    fd_fdstat_set_rights: 'ill>i',
    fd_filestat_get: 'ii>i',
    fd_filestat_set_size: 'il>i',
    fd_filestat_set_times: 'illi>i',
    fd_pread: 'iiili>i',
    fd_prestat_dir_name: 'iii>i',
    fd_prestat_get: 'ii>i',
    fd_pwrite: 'iiili>i',
    fd_read: 'iiii>i',
    fd_readdir: 'iiili>i',
    fd_renumber: 'ii>i',
    fd_seek: 'ilii>i',
    fd_sync: 'i>i',
    fd_tell: 'ii>i',
    fd_write: 'iiii>i',
    path_create_directory: 'iii>i',
    path_filestat_get: 'iiiii>i',
    path_filestat_set_times: 'iiiilli>i',
    path_link: 'iiiiiii>i',
    path_open: 'iiiiillii>i',
    path_readlink: 'iiiiii>i',
    path_remove_directory: 'iii>i',
    path_rename: 'iiiiii>i',
    path_symlink: 'iiiii>i',
    path_unlink_file: 'iii>i',
    poll_oneoff: 'iiii>i',
    proc_exit: 'i>',
    proc_raise: 'i>i',
    random_get: 'ii>i',
    sched_yield: '>i',
    sock_accept: 'iii>i',
    sock_recv: 'iiiiii>i',
    sock_send: 'iiiii>i',
    sock_shutdown: 'ii>i',
  },
  gleaner: {
    progress: 'i>',
    frame: 'ii>',
  },
};

/** Imports that do not return: what follows such a call is not executed, so it must not be charged ahead of the call. */
export const EXITING_IMPORTS: ReadonlySet<string> = new Set([
  'wasi_snapshot_preview1.proc_exit',
  'wasi_snapshot_preview1.proc_raise',
]);

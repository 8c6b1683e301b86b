/*
 * What the Gleaner sandbox offers beside WASI preview 1, for C and C++. Header only.
 *
 * A command has `main`. A stepping app is built with -mexec-model=reactor and exports GLEANER_STEP instead, so that it
 * can be paused, snapshotted and resumed between steps:
 *
 *   GLEANER_STEP { return work_for_100_ms() ? GLEANER_MORE : GLEANER_DONE; }
 *
 * Inputs are files under /input, declared outputs are written to /output, arguments and stdout are as in any program.
 */
#ifndef GLEANER_H
#define GLEANER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <wasi/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tells how much of the unit is done, in thousandths (0 to 1000). Never part of the result. */
__attribute__((import_module("gleaner"), import_name("progress"))) void gleaner_progress(int32_t permille);

/* Shows a picture in the live view: `bytes` intensities (0 to 255) of one row. Never part of the result. */
__attribute__((import_module("gleaner"), import_name("frame"))) void gleaner_frame(const void *row, size_t bytes);

/* Absolute offset in bytes of this unit's window in the job's input (splits `bytes` and `records`); 0 otherwise. */
static inline int64_t gleaner_offset(void) {
  const char *text = getenv("GLEANER_OFFSET");
  return text ? strtoll(text, NULL, 10) : 0;
}

/* Argument n as in argv (0: the app's name), NULL beyond the last: for stepping apps, which have no `main`. */
static inline const char *gleaner_argument(size_t n) {
  static char **arguments;
  static size_t count;
  if (!arguments) {
    size_t bytes = 0;
    if (__wasi_args_sizes_get(&count, &bytes) != 0) abort();
    arguments = (char **)malloc((count + 1) * sizeof *arguments);
    char *text = (char *)malloc(bytes + 1);
    if (!arguments || !text || __wasi_args_get((uint8_t **)arguments, (uint8_t *)text) != 0) abort();
  }
  return n < count ? arguments[n] : NULL;
}

/* Begins the definition of the function that does one step, 50 to 200 ms of work, and returns one of these. */
#define GLEANER_STEP __attribute__((export_name("gleaner_step"))) int32_t gleaner_step(void)
enum { GLEANER_DONE = 0, GLEANER_MORE = 1, GLEANER_ERROR = -1 };

#ifdef __cplusplus
}
#endif

#endif

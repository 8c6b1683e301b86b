/* What the kernels share. Each defines run(scale), whose result depends on all of its work. */
#pragma once
#include <stdint.h>

uint32_t run(uint32_t scale);

#ifdef __wasm__
void _start(void) {}
#else
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Native comparison: prints the checksum and the milliseconds of one run. */
int main(int argc, char **argv) {
  uint32_t scale = argc > 1 ? (uint32_t)atoi(argv[1]) : 1;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  uint32_t checksum = run(scale);
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%u %f\n", checksum, (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6);
  return 0;
}
#endif

static uint32_t random_state = 1;

static inline uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

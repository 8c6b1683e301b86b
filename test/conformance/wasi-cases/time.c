// The clock moves by itself at each reading and by what is slept; standard input is empty.
#include <assert.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock) {
  struct timespec time;
  assert(clock_gettime(clock, &time) == 0);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void) {
  long long before = now(CLOCK_MONOTONIC);
  assert(now(CLOCK_MONOTONIC) > before);
  assert(usleep(3000000) == 0);
  assert(now(CLOCK_MONOTONIC) - before >= 3000000000LL);
  assert(now(CLOCK_REALTIME) / 1000000000 >= 946684800);
  assert(getchar() == EOF);
  return 0;
}

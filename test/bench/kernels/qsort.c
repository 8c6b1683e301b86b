/* Quicksort of integers: recursion, unpredictable branches, short loops. */
#include "kernel.h"

#define SIZE 200000

static int32_t items[SIZE];

static void sort(int32_t *from, int32_t *to) {
  while (to - from > 12) {
    int32_t pivot = from[(to - from) / 2], *low = from, *high = to - 1;
    for (;;) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low >= high) break;
      int32_t t = *low;
      *low++ = *high;
      *high-- = t;
    }
    sort(from, low);
    from = low;
  }
  for (int32_t *i = from + 1; i < to; i++) {
    int32_t item = *i, *k = i;
    for (; k > from && k[-1] > item; k--) *k = k[-1];
    *k = item;
  }
}

uint32_t run(uint32_t scale) {
  uint32_t checksum = 0;
  for (uint32_t round = 0; round < scale; round++) {
    for (int i = 0; i < SIZE; i++) items[i] = (int32_t)next_random();
    sort(items, items + SIZE);
    for (int i = 0; i < SIZE; i++) checksum = checksum * 31 + (uint32_t)items[i];
  }
  return checksum;
}

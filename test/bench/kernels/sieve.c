/* The sieve of Eratosthenes: short inner loops that only store. */
#include "kernel.h"

#define SIZE 2000000

static uint8_t composite[SIZE];

uint32_t run(uint32_t scale) {
  uint32_t primes = 0;
  for (uint32_t round = 0; round < scale; round++) {
    for (uint32_t i = 0; i < SIZE; i++) composite[i] = 0;
    for (uint32_t i = 2; i < SIZE; i++) {
      if (composite[i]) continue;
      primes++;
      for (uint32_t k = 2 * i; k < SIZE; k += i) composite[k] = 1;
    }
  }
  return primes;
}

/* Recursive Fibonacci numbers: almost nothing but calls, the worst case for metering. */
#include "kernel.h"

__attribute__((noinline)) static uint32_t fib(uint32_t n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

uint32_t run(uint32_t scale) { return fib(scale); }

/* The inner work of SETI Classic: multiply a tape by a chirp, transform, and sum the power spectrum's peak. */
#include "kernel.h"

#define SIZE 8192
#define TURN 6.283185307179586

static double sample_re[SIZE], sample_im[SIZE], re[SIZE], im[SIZE], turn_re[SIZE / 2], turn_im[SIZE / 2];

/* Sine by its series after folding to a quarter turn: accurate enough here, and the same code everywhere. */
static double sine(double turns) {
  turns -= (double)(int64_t)turns;
  if (turns > 0.5) turns -= 1.0;
  if (turns < -0.5) turns += 1.0;
  if (turns > 0.25) turns = 0.5 - turns;
  if (turns < -0.25) turns = -0.5 - turns;
  double x = turns * TURN, x2 = x * x;
  return x * (1 - x2 / 6 * (1 - x2 / 20 * (1 - x2 / 42 * (1 - x2 / 72 * (1 - x2 / 110)))));
}

static void prepare(void) {
  for (int i = 0; i < SIZE; i++) {
    sample_re[i] = (next_random() & 1) ? 1 : -1;
    sample_im[i] = (next_random() & 1) ? 1 : -1;
  }
  for (int i = 0; i < SIZE / 2; i++) {
    turn_re[i] = sine((double)i / SIZE + 0.25);
    turn_im[i] = -sine((double)i / SIZE);
  }
}

static void dechirp(double rate) {
  for (int i = 0; i < SIZE; i++) {
    double phase = rate * i * i, c = sine(phase + 0.25), s = sine(phase);
    re[i] = sample_re[i] * c - sample_im[i] * s;
    im[i] = sample_re[i] * s + sample_im[i] * c;
  }
}

static void transform(void) {
  for (int i = 1, j = 0; i < SIZE; i++) {
    int bit = SIZE >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      double t = re[i];
      re[i] = re[j];
      re[j] = t;
      t = im[i];
      im[i] = im[j];
      im[j] = t;
    }
  }
  for (int half = 1; half < SIZE; half <<= 1) {
    int step = SIZE / 2 / half;
    for (int base = 0; base < SIZE; base += 2 * half) {
      for (int k = 0; k < half; k++) {
        double wr = turn_re[k * step], wi = turn_im[k * step];
        int a = base + k, b = a + half;
        double br = re[b] * wr - im[b] * wi, bi = re[b] * wi + im[b] * wr;
        double ar = re[a], ai = im[a];
        re[a] = ar + br;
        im[a] = ai + bi;
        re[b] = ar - br;
        im[b] = ai - bi;
      }
    }
  }
}

uint32_t run(uint32_t scale) {
  double peak = 0;
  prepare();
  for (uint32_t i = 0; i < scale; i++) {
    dechirp(1e-9 * i);
    transform();
    for (int k = 0; k < SIZE; k++) {
      double power = re[k] * re[k] + im[k] * im[k];
      if (power > peak) peak = power;
    }
  }
  return (uint32_t)(peak * 16);
}

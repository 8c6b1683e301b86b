/* Gravity among five bodies: dense floating point with stores to memory. */
#include "kernel.h"

#define BODIES 5

static struct body {
  double x, y, z, vx, vy, vz, mass;
} bodies[BODIES];

static void prepare(void) {
  for (int i = 0; i < BODIES; i++) {
    struct body *b = &bodies[i];
    b->x = i * 3.1 - 5, b->y = i * i * 1.7 - 4, b->z = 0.3 * i;
    b->vx = 0.01 * i, b->vy = 0.02 * (i - 2), b->vz = 0.001 * i;
    b->mass = 1.0 / (1 + i);
  }
}

static void advance(double dt) {
  for (int i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    for (int j = i + 1; j < BODIES; j++) {
      struct body *b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      double squared = dx * dx + dy * dy + dz * dz + 0.01;
      double magnitude = dt / (squared * __builtin_sqrt(squared));
      a->vx -= dx * b->mass * magnitude;
      a->vy -= dy * b->mass * magnitude;
      a->vz -= dz * b->mass * magnitude;
      b->vx += dx * a->mass * magnitude;
      b->vy += dy * a->mass * magnitude;
      b->vz += dz * a->mass * magnitude;
    }
  }
  for (int i = 0; i < BODIES; i++) {
    struct body *b = &bodies[i];
    b->x += dt * b->vx;
    b->y += dt * b->vy;
    b->z += dt * b->vz;
  }
}

uint32_t run(uint32_t scale) {
  prepare();
  for (uint32_t i = 0; i < scale * 1000; i++) advance(0.001);
  return (uint32_t)(int32_t)(bodies[0].x * 1e4);
}

/*
 * Global alignment with affine gaps. Source: O. Gotoh, "An improved algorithm for matching biological sequences",
 * Journal of Molecular Biology 162 (1982).
 */
#include "gap.h"

#include <string.h>

/* Cells of the table of directions, one byte each: stretches of 2,000 by 2,000 bases. */
#define MAX_CELLS (4 * 1024 * 1024)
#define MATCH 2
#define MISMATCH (-3)
#define GAP_OPEN (-6)
#define GAP_EXTEND (-1)
#define IMPOSSIBLE (-1000000)

enum { ALIGNED, IN_REFERENCE, IN_GENOME };
/* Bits of a cell: where its aligned score came from (2 bits), and whether its gaps were extended rather than opened. */
#define FROM_MASK 3
#define EXTENDS_IN_REFERENCE 4
#define EXTENDS_IN_GENOME 8

static uint8_t cells[MAX_CELLS];
static int32_t best_above[MAX_BASES + 1];
static int32_t gap_above[MAX_BASES + 1];
/* Genome base at each reference position of the stretch, read from the end; INT32_MIN where it is deleted. */
static int32_t genome_index[MAX_BASES];

static int32_t score_of(uint8_t reference, uint8_t genome) {
  if (genome == UNKNOWN_BASE || reference == UNKNOWN_BASE) return 0;
  return reference == genome ? MATCH : MISMATCH;
}

/* Fills the directions of all cells; rows are reference bases, columns genome bases. */
static void fill_cells(const uint8_t *reference, int32_t rows, const uint8_t *genome, int32_t columns) {
  int32_t width = columns + 1;
  best_above[0] = 0;
  gap_above[0] = IMPOSSIBLE;
  for (int32_t column = 1; column <= columns; column++) {
    best_above[column] = GAP_OPEN + column * GAP_EXTEND;
    gap_above[column] = IMPOSSIBLE;
    cells[column] = IN_GENOME | EXTENDS_IN_GENOME;
  }
  for (int32_t row = 1; row <= rows; row++) {
    int32_t diagonal = best_above[0];
    int32_t gap_left = IMPOSSIBLE;
    best_above[0] = GAP_OPEN + row * GAP_EXTEND;
    cells[row * width] = IN_REFERENCE | EXTENDS_IN_REFERENCE;
    for (int32_t column = 1; column <= columns; column++) {
      uint8_t cell = ALIGNED;
      /* A gap below this one skips a reference base (deletion); one to the left, a genome base (insertion). */
      int32_t open = best_above[column] + GAP_OPEN;
      if (gap_above[column] > open) cell |= EXTENDS_IN_REFERENCE;
      gap_above[column] = (gap_above[column] > open ? gap_above[column] : open) + GAP_EXTEND;
      open = best_above[column - 1] + GAP_OPEN;
      if (gap_left > open) cell |= EXTENDS_IN_GENOME;
      gap_left = (gap_left > open ? gap_left : open) + GAP_EXTEND;

      int32_t best = diagonal + score_of(reference[row - 1], genome[column - 1]);
      if (gap_above[column] > best) best = gap_above[column], cell = (cell & ~FROM_MASK) | IN_REFERENCE;
      if (gap_left > best) best = gap_left, cell = (cell & ~FROM_MASK) | IN_GENOME;
      diagonal = best_above[column];
      best_above[column] = best;
      cells[row * width + column] = cell;
    }
  }
}

int align_with_gaps(
  const uint8_t *reference, int32_t reference_length, const uint8_t *genome, int32_t genome_length, int32_t position,
  Visitor visit
) {
  int32_t width = genome_length + 1;
  if ((int64_t)(reference_length + 1) * width > MAX_CELLS) return 0;
  fill_cells(reference, reference_length, genome, genome_length);
  int32_t row = reference_length, column = genome_length, state = ALIGNED;
  while (row > 0 || column > 0) {
    uint8_t cell = cells[row * width + column];
    if (state == ALIGNED) state = cell & FROM_MASK;
    if (state == ALIGNED) {
      genome_index[--row] = --column;
    } else if (state == IN_REFERENCE) {
      genome_index[--row] = INT32_MIN;
      if (!(cell & EXTENDS_IN_REFERENCE)) state = ALIGNED;
    } else {
      column--;
      if (!(cell & EXTENDS_IN_GENOME)) state = ALIGNED;
    }
  }
  for (int32_t i = 0; i < reference_length; i++) {
    if (genome_index[i] != INT32_MIN) visit(position + i, genome[genome_index[i]]);
  }
  return 1;
}

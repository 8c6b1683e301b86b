#ifndef GAP_H
#define GAP_H

#include "align.h"

/*
 * Aligns two short stretches from end to end with affine gaps and visits the aligned bases; `position` is the first
 * reference position. Returns 0, having visited nothing, where the stretches are too long for its table.
 */
int align_with_gaps(
  const uint8_t *reference, int32_t reference_length, const uint8_t *genome, int32_t genome_length, int32_t position,
  Visitor visit
);

#endif

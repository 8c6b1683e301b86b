#ifndef ALIGN_H
#define ALIGN_H

#include "reference.h"

/* Called for every base of a genome that stands at a reference position, unknown bases included. */
typedef void (*Visitor)(int32_t reference_position, uint8_t base);

/*
 * Aligns a genome to the indexed reference and visits its aligned bases in order: between anchors, words that occur once
 * in the reference, the two are compared base by base where they have the same length, else by a small alignment with
 * affine gaps; the ends are followed as far as they agree. Returns the genome's bases that could not be aligned.
 */
int32_t align_genome(const Sequence *reference, const Sequence *genome, Visitor visit);

#endif

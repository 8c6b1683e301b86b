#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdint.h>

/* Longest sequence that is read: SARS-CoV-2 has about 29,900 bases. */
#define MAX_BASES 65536
/* Bases of an anchor: in a genome of this size, a word this long that occurs once is found nowhere else by chance. */
#define ANCHOR_BASES 20
#define NO_ANCHOR (-1)

/* 0 to 3 for A, C, G, T; anything else is unknown. */
#define UNKNOWN_BASE 4

typedef struct {
  int32_t length;
  uint8_t bases[MAX_BASES];
} Sequence;

uint8_t base_of(int character);

/* Indexes the words of the reference that occur exactly once. */
void index_reference(const Sequence *reference);

/* Where the word that starts at a position of a sequence lies in the reference, or NO_ANCHOR. */
int32_t find_anchor(const Sequence *sequence, int32_t position);

#endif

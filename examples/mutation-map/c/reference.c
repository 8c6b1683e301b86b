#include "reference.h"

#include <string.h>

/* Twice the number of words keeps the chains of an open-addressed table short. */
#define TABLE_LENGTH (2 * MAX_BASES)
#define EMPTY (-1)
#define REPEATED (-2)
#define NO_WORD UINT64_MAX

static uint64_t table_words[TABLE_LENGTH];
static int32_t table_positions[TABLE_LENGTH];

uint8_t base_of(int character) {
  switch (character) {
    case 'A': case 'a': return 0;
    case 'C': case 'c': return 1;
    case 'G': case 'g': return 2;
    case 'T': case 't': case 'U': case 'u': return 3;
    default: return UNKNOWN_BASE;
  }
}

static uint64_t word_at(const Sequence *sequence, int32_t position) {
  if (position < 0 || position + ANCHOR_BASES > sequence->length) return NO_WORD;
  uint64_t word = 0;
  for (int32_t i = position; i < position + ANCHOR_BASES; i++) {
    if (sequence->bases[i] == UNKNOWN_BASE) return NO_WORD;
    word = word << 2 | sequence->bases[i];
  }
  return word;
}

static uint32_t slot_of(uint64_t word) {
  /* Fibonacci hashing: the upper bits of the product are the well mixed ones. */
  uint32_t slot = (uint32_t)((word * 0x9E3779B97F4A7C15u) >> 32) % TABLE_LENGTH;
  while (table_positions[slot] != EMPTY && table_words[slot] != word) slot = (slot + 1) % TABLE_LENGTH;
  return slot;
}

void index_reference(const Sequence *reference) {
  memset(table_positions, 0xff, sizeof table_positions);
  for (int32_t position = 0; position + ANCHOR_BASES <= reference->length; position++) {
    uint64_t word = word_at(reference, position);
    if (word == NO_WORD) continue;
    uint32_t slot = slot_of(word);
    table_positions[slot] = table_positions[slot] == EMPTY ? position : REPEATED;
    table_words[slot] = word;
  }
}

int32_t find_anchor(const Sequence *sequence, int32_t position) {
  uint64_t word = word_at(sequence, position);
  if (word == NO_WORD) return NO_ANCHOR;
  int32_t found = table_positions[slot_of(word)];
  return found >= 0 ? found : NO_ANCHOR;
}

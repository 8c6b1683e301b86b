#include "align.h"

#include "gap.h"

/* Score of an end that is followed along its diagonal: kept up to where it was best. */
#define END_MATCH 1
#define END_MISMATCH (-3)
/* A region with a larger share of mismatches than 1 in this many is aligned with gaps although the lengths agree. */
#define MAX_MISMATCH_SHARE 3

typedef struct {
  int32_t genome;
  int32_t reference;
} Anchor;

static int is_mismatch(const Sequence *reference, int32_t r, const Sequence *genome, int32_t g) {
  return genome->bases[g] != UNKNOWN_BASE && genome->bases[g] != reference->bases[r];
}

/* The next anchor from a genome position on that lies at or after a reference position. */
static int next_anchor(const Sequence *genome, int32_t from, int32_t reference_from, Anchor *anchor) {
  for (int32_t g = from; g + ANCHOR_BASES <= genome->length; g++) {
    int32_t r = find_anchor(genome, g);
    if (r >= reference_from) {
      *anchor = (Anchor){g, r};
      return 1;
    }
  }
  return 0;
}

/* Bases (with sign of the step) from a start that an end agrees with the reference on its diagonal. */
static int32_t followed_length(const Sequence *reference, const Sequence *genome, int32_t r, int32_t g, int32_t step) {
  int32_t score = 0, best = 0, best_length = 0;
  for (int32_t n = 1; g >= 0 && r >= 0 && g < genome->length && r < reference->length; n++, g += step, r += step) {
    if (genome->bases[g] == UNKNOWN_BASE) continue;
    score += is_mismatch(reference, r, genome, g) ? END_MISMATCH : END_MATCH;
    if (score > best) best = score, best_length = n;
  }
  return best_length;
}

static void visit_diagonal(const Sequence *genome, int32_t r, int32_t g, int32_t length, Visitor visit) {
  for (int32_t i = 0; i < length; i++) visit(r + i, genome->bases[g + i]);
}

/* Visits the region between two anchors; returns the bases that it could not align. */
static int32_t visit_region(
  const Sequence *reference, const Sequence *genome, Anchor from, Anchor to, Visitor visit
) {
  int32_t genome_length = to.genome - from.genome;
  int32_t reference_length = to.reference - from.reference;
  if (genome_length == reference_length) {
    int32_t mismatches = 0;
    for (int32_t i = 0; i < genome_length; i++) {
      mismatches += is_mismatch(reference, from.reference + i, genome, from.genome + i);
    }
    if (mismatches <= 1 + genome_length / MAX_MISMATCH_SHARE) {
      visit_diagonal(genome, from.reference, from.genome, genome_length, visit);
      return 0;
    }
  }
  int is_aligned = align_with_gaps(
    reference->bases + from.reference, reference_length, genome->bases + from.genome, genome_length, from.reference, visit
  );
  return is_aligned ? 0 : genome_length;
}

int32_t align_genome(const Sequence *reference, const Sequence *genome, Visitor visit) {
  Anchor anchor;
  if (!next_anchor(genome, 0, 0, &anchor)) return genome->length;
  int32_t head = followed_length(reference, genome, anchor.reference - 1, anchor.genome - 1, -1);
  int32_t unaligned = anchor.genome - head;
  visit_diagonal(genome, anchor.reference - head, anchor.genome - head, head, visit);
  for (;;) {
    /* Follow the anchor's diagonal while both agree; most of a genome passes here. */
    Anchor end = anchor;
    while (
      end.genome < genome->length && end.reference < reference->length &&
      genome->bases[end.genome] == reference->bases[end.reference]
    ) {
      end.genome++, end.reference++;
    }
    visit_diagonal(genome, anchor.reference, anchor.genome, end.genome - anchor.genome, visit);
    if (!next_anchor(genome, end.genome, end.reference, &anchor)) {
      int32_t tail = followed_length(reference, genome, end.reference, end.genome, 1);
      visit_diagonal(genome, end.reference, end.genome, tail, visit);
      return unaligned + genome->length - end.genome - tail;
    }
    unaligned += visit_region(reference, genome, end, anchor, visit);
  }
}

/*
 * Counts how many genomes of a FASTA window carry each substitution against a reference, such as A23403G.
 * Arguments: GENOMES REFERENCE. Output: lines `KEY<TAB>COUNT`, to be added up over all units (merge kind `sum`).
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "align.h"
#include "fasta.h"
#include "gleaner.h"

static const char LETTERS[] = "ACGT";
static Sequence reference, genome;
/* Genomes with each base at each reference position. */
static int32_t genomes_with[MAX_BASES][4];

static void count_base(int32_t position, uint8_t base) {
  if (base != UNKNOWN_BASE) genomes_with[position][base]++;
}

static void print_counts(int64_t genomes, int64_t unaligned) {
  printf("genomes\t%" PRId64 "\n", genomes);
  printf("unaligned_bases\t%" PRId64 "\n", unaligned);
  for (int32_t position = 0; position < reference.length; position++) {
    uint8_t original = reference.bases[position];
    if (original == UNKNOWN_BASE) continue;
    for (uint8_t base = 0; base < 4; base++) {
      if (base == original || genomes_with[position][base] == 0) continue;
      printf("%c%d%c\t%d\n", LETTERS[original], position + 1, LETTERS[base], genomes_with[position][base]);
    }
  }
}

static FILE *open_input(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  return file;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: mutation-map GENOMES REFERENCE\n");
    return 2;
  }
  FILE *file = open_input(argv[2]);
  if (!read_record(file, argv[2], &reference)) {
    fprintf(stderr, "mutation-map: %s has no record\n", argv[2]);
    return 1;
  }
  fclose(file);
  index_reference(&reference);

  file = open_input(argv[1]);
  struct stat status;
  int64_t size = fstat(fileno(file), &status) == 0 && status.st_size > 0 ? status.st_size : 1;
  int64_t genomes = 0, unaligned = 0;
  while (read_record(file, argv[1], &genome)) {
    unaligned += align_genome(&reference, &genome, count_base);
    genomes++;
    gleaner_progress((int32_t)(1000 * (int64_t)ftello(file) / size));
  }
  print_counts(genomes, unaligned);
  return 0;
}

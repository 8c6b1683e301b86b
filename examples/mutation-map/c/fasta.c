#include "fasta.h"

#include <stdlib.h>

static void fail(const char *path, const char *reason) {
  fprintf(stderr, "mutation-map: %s: %s\n", path, reason);
  exit(1);
}

int read_record(FILE *file, const char *path, Sequence *sequence) {
  int character = getc(file);
  while (character == '\n' || character == '\r') character = getc(file);
  if (character == EOF) return 0;
  if (character != '>') fail(path, "a record must start with '>'");
  while (character != '\n' && character != EOF) character = getc(file);

  sequence->length = 0;
  int is_line_start = 1;
  for (character = getc(file); character != EOF; character = getc(file)) {
    if (character == '>' && is_line_start) {
      ungetc(character, file);
      break;
    }
    is_line_start = character == '\n';
    if (character == '\n' || character == '\r' || character == ' ' || character == '-') continue;
    if (sequence->length == MAX_BASES) fail(path, "a sequence is longer than 65536 bases");
    sequence->bases[sequence->length++] = base_of(character);
  }
  return 1;
}

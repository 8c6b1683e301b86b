#ifndef FASTA_H
#define FASTA_H

#include <stdio.h>

#include "reference.h"

/* Reads the next record of a FASTA file; returns 0 at the end. Ends the program where a record is malformed. */
int read_record(FILE *file, const char *path, Sequence *sequence);

#endif

// Echoes its arguments and environment, complains on stderr, and ends with the code that it is told.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) printf("%s|", argv[i]);
  printf("%s\n", getenv("GREETING"));
  fprintf(stderr, "%d arguments\n", argc - 1);
  return atoi(argv[1]);
}

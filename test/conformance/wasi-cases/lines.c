// Reads, seeks, copies and lists files below the root that the harness copied.
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
  char line[64];
  FILE *in = fopen("/lines.txt", "r");
  FILE *out = fopen("/copy.txt", "w+");
  assert(in && out);
  for (int n = 1; fgets(line, sizeof line, in); n++) fprintf(out, "%d %s", n, line);
  assert(fseek(out, -8, SEEK_END) == 0);
  assert(fgets(line, sizeof line, out) && strcmp(line, "3 three\n") == 0);
  fclose(in);
  fclose(out);

  struct stat info;
  assert(stat("/copy.txt", &info) == 0 && info.st_size == 20 && S_ISREG(info.st_mode));
  assert(mkdir("/new", 0777) == 0);
  assert(rename("/copy.txt", "/new/moved.txt") == 0);
  assert(stat("/copy.txt", &info) == -1 && errno == ENOENT);
  assert(rmdir("/new") == -1 && errno == ENOTEMPTY);

  DIR *directory = opendir("/");
  assert(directory);
  for (struct dirent *entry; (entry = readdir(directory));) puts(entry->d_name);
  closedir(directory);
  return 0;
}

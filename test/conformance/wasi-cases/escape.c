// Nothing outside the root can be named, and links do not help.
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void refused(const char *path) {
  assert(open(path, O_RDONLY) == -1);
  assert(errno == EPERM || errno == ENOTCAPABLE || errno == ENOENT);
}

int main(void) {
  refused("/../etc/passwd");
  refused("../../etc/passwd");
  refused("/sub/../../etc/passwd");
  assert(symlink("../..", "/sub/up") == 0);
  refused("/sub/up/etc/passwd");
  assert(symlink("/etc/passwd", "/absolute") == -1);
  assert(symlink("loop", "/loop") == 0);
  assert(open("/loop", O_RDONLY) == -1 && errno == ELOOP);
  assert(symlink("sub/deep.txt", "/inside") == 0);
  char text[5] = {0};
  int fd = open("/inside", O_RDONLY);
  assert(fd >= 0 && read(fd, text, 5) == 4 && text[0] == 'd');
  return 0;
}

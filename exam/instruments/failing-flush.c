/*
 * A disk that fails: the nth flush of a file whose name ends as said answers EIO, once or from then on.
 * Loaded into a server by LD_PRELOAD; says on stderr that it bit.
 *
 *   EXAM_FLUSH_OF     how the file's name ends, such as -wal
 *   EXAM_FLUSH_FAILS  which flush, from 1
 *   EXAM_FLUSH_STAYS  set: all later ones fail as well
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long flushes;

static int has_failed(int fd) {
  const char *ending = getenv("EXAM_FLUSH_OF"), *nth = getenv("EXAM_FLUSH_FAILS");
  char link[64], name[PATH_MAX];
  if (!ending || !nth) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, name, sizeof name);
  size_t tail = strlen(ending);
  if (length < (ssize_t)tail || memcmp(name + length - tail, ending, tail) != 0) return 0;
  long now = atomic_fetch_add(&flushes, 1) + 1, wanted = atol(nth);
  if (now < wanted || (now > wanted && !getenv("EXAM_FLUSH_STAYS"))) return 0;
  if (now == wanted) dprintf(2, "flush %ld has failed\n", now);
  errno = EIO;
  return 1;
}

int fsync(int fd) {
  return has_failed(fd) ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
  return has_failed(fd) ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

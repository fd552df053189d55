/* Preloaded into a server under test: while the file exists that TEST_DISK_FULL names, whatever writes to a regular file fails as on a full disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int full(int file) {
    const char *flag = getenv("TEST_DISK_FULL");
    struct stat about;
    return flag && file > 2 && access(flag, F_OK) == 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode);
}

#define GUARD(name, result, parameters, arguments)                                  \
    result name parameters {                                                       \
        static result(*real) parameters;                                           \
        if (!real) real = (result(*) parameters)dlsym(RTLD_NEXT, #name);           \
        if (full(file)) {                                                          \
            errno = ENOSPC;                                                        \
            return -1;                                                             \
        }                                                                          \
        return real arguments;                                                     \
    }

GUARD(write, ssize_t, (int file, const void *from, size_t count), (file, from, count))
GUARD(writev, ssize_t, (int file, const struct iovec *from, int count), (file, from, count))
GUARD(pwrite, ssize_t, (int file, const void *from, size_t count, off_t at), (file, from, count, at))
GUARD(pwrite64, ssize_t, (int file, const void *from, size_t count, off64_t at), (file, from, count, at))
GUARD(pwritev, ssize_t, (int file, const struct iovec *from, int count, off_t at), (file, from, count, at))
GUARD(posix_fallocate, int, (int file, off_t at, off_t count), (file, at, count))

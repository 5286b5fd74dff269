/* A disk that fails from its N-th write on, for files below one folder.
 *
 * Preloaded into Obra and all that it starts. What it counts and when it fails
 * stands in a small shared file, which the test writes to while they run:
 * see `failing_disk.py` for its layout.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct state {
    int64_t count;   /* writes so far */
    int64_t from;    /* the first one that fails; 0 = none does */
    int64_t until;   /* the last one that fails; 0 = all after it do */
    int64_t number;  /* ENOSPC or EIO */
    int64_t spare;   /* bytes that can still be written on a full disk */
    int64_t reserve; /* what giving the reserve up adds to them */
    int64_t failed;  /* writes that failed */
};

static struct state *state;
static const char *root;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAILING_DISK_STATE");
    root = getenv("FAILING_DISK_ROOT");
    if (path == NULL || root == NULL) return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *shared = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED) state = shared;
}

static int below(const char *path) { return strncmp(path, root, strlen(root)) == 0; }

static int is_ours(int fd) {
    char link[64], path[PATH_MAX];
    if (state == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return below(path);
}

static int failing(int64_t count) {
    int64_t from = state->from, until = state->until;
    return from != 0 && count >= from && (until == 0 || count <= until);
}

/* Returns 1, with errno set, when writing `size` bytes to `fd` fails. */
static int refused(int fd, size_t size) {
    int saved = errno, ours = is_ours(fd);
    errno = saved;
    if (!ours || !failing(__atomic_add_fetch(&state->count, 1, __ATOMIC_SEQ_CST))) return 0;
    if (state->number == ENOSPC && state->spare >= (int64_t)size) {
        __atomic_sub_fetch(&state->spare, (int64_t)size, __ATOMIC_SEQ_CST);
        return 0;
    }
    __atomic_add_fetch(&state->failed, 1, __ATOMIC_SEQ_CST);
    errno = (int)state->number;
    return 1;
}

static int sync_refused(int fd) { return state != NULL && state->number == EIO && refused(fd, 0); }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
    static __typeof__(&write) real;
    if (!real) real = REAL(write);
    return refused(fd, size) ? -1 : real(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    static __typeof__(&pwrite) real;
    if (!real) real = REAL(pwrite);
    return refused(fd, size) ? -1 : real(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    static __typeof__(&pwrite64) real;
    if (!real) real = REAL(pwrite64);
    return refused(fd, size) ? -1 : real(fd, data, size, at);
}

int fsync(int fd) {
    static __typeof__(&fsync) real;
    if (!real) real = REAL(fsync);
    return sync_refused(fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    static __typeof__(&fdatasync) real;
    if (!real) real = REAL(fdatasync);
    return sync_refused(fd) ? -1 : real(fd);
}

int posix_fallocate(int fd, off_t at, off_t size) {
    static __typeof__(&posix_fallocate) real;
    if (!real) real = REAL(posix_fallocate);
    return refused(fd, (size_t)size) ? errno : real(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
    static __typeof__(&posix_fallocate64) real;
    if (!real) real = REAL(posix_fallocate64);
    return refused(fd, (size_t)size) ? errno : real(fd, at, size);
}

static void given_up(const char *path) {
    size_t length = strlen(path);
    if (state != NULL && length > 8 && strcmp(path + length - 8, "/reserve") == 0)
        __atomic_add_fetch(&state->spare, state->reserve, __ATOMIC_SEQ_CST);
}

int unlink(const char *path) {
    static __typeof__(&unlink) real;
    if (!real) real = REAL(unlink);
    int done = real(path);
    if (done == 0) given_up(path);
    return done;
}

static int no_room(const char *path) {
    return state != NULL && state->number == ENOSPC && failing(state->count + 1) && below(path);
}

int statvfs(const char *path, struct statvfs *found) {
    static __typeof__(&statvfs) real;
    if (!real) real = REAL(statvfs);
    int done = real(path, found);
    if (done == 0 && no_room(path)) found->f_bavail = found->f_bfree = 0;
    return done;
}

int statvfs64(const char *path, struct statvfs64 *found) {
    static __typeof__(&statvfs64) real;
    if (!real) real = REAL(statvfs64);
    int done = real(path, found);
    if (done == 0 && no_room(path)) found->f_bavail = found->f_bfree = 0;
    return done;
}

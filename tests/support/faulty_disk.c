/* A layer under the file calls of a process: it records what is done to the files of one folder, and lets single calls
 * fail. Preloaded (LD_PRELOAD); does nothing until `disk_watch` is called. See faulty_disk.py for the record's form. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { FDS = 1024, NAME = 64, SECTOR = 512, WRITES = 1, SYNCS = 2 };

static char folder[4096];
static size_t folder_len;
static char names[FDS][NAME]; /* of the folder's files that are open; empty for all others */
static int record = -1;
static int fault_calls, fault_errno, fault_stays, fault_torn;
static long fault_at, seen[3];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;


/* Begin anew: watch `path`, append to the file `to` (empty: record nothing), and let call number `at` (from 1) of the
 * kinds in `calls` fail with `error`; with `stays` all after it too; with `torn` half of a failing write is written. */
void disk_watch(const char *path, const char *to, int calls, long at, int error, int stays, int torn) {
    memset(names, 0, sizeof names);
    memset(seen, 0, sizeof seen);
    strncpy(folder, path, sizeof folder - 1);
    folder_len = strlen(folder);
    fault_calls = calls, fault_at = at, fault_errno = error, fault_stays = stays, fault_torn = torn;
    record = *to ? (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

/* How many calls of a kind there were: what `at` may be. */
long disk_calls(int kind) { return seen[kind]; }

static const char *inside(const char *path) {
    if (!folder_len || strncmp(path, folder, folder_len) || path[folder_len] != '/') return NULL;
    const char *name = path + folder_len + 1;
    size_t len = strlen(name);
    if (!len || len >= NAME || strchr(name, '/')) return NULL;
    if (len > 5 && (!strcmp(name + len - 4, "-shm") || !strcmp(name + len - 5, ".lock"))) return NULL;
    return name;
}

static const char *name_of(int fd) { return fd >= 0 && fd < FDS && names[fd][0] ? names[fd] : NULL; }

static void put(char kind, const char *name, int64_t offset, const void *data, size_t len) {
    if (record < 0) return;
    struct __attribute__((packed)) { char kind; uint8_t name; uint32_t len; int64_t offset; } head =
        { kind, (uint8_t)strlen(name), (uint32_t)len, offset };
    syscall(SYS_write, record, &head, sizeof head);
    syscall(SYS_write, record, name, strlen(name));
    if (len) syscall(SYS_write, record, data, len);
}

static int fails(int kind) {
    seen[kind]++;
    if (!(fault_calls & kind)) return 0;
    long count = (fault_calls & WRITES ? seen[WRITES] : 0) + (fault_calls & SYNCS ? seen[SYNCS] : 0);
    return count == fault_at || (fault_stays && count > fault_at);
}

static int opened(int fd, const char *path, int flags, int was_there) {
    const char *name = fd >= 0 && fd < FDS ? inside(path) : NULL;
    if (fd >= 0 && fd < FDS) names[fd][0] = 0;
    if (name) {
        strcpy(names[fd], name);
        if ((!was_there || flags & O_TRUNC) && strcmp(name, "told")) put('O', name, 0, NULL, 0);
    } else if (fd >= 0 && fd < FDS && folder_len && !strcmp(path, folder)) {
        strcpy(names[fd], "/");
    }
    return fd;
}

static int open_at(int dir, const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&lock);
    int was_there = inside(path) && !syscall(SYS_faccessat, AT_FDCWD, path, F_OK);
    int fd = (int)syscall(SYS_openat, dir, path, flags | O_LARGEFILE, mode), error = errno;
    fd = opened(fd, path, flags, was_there);
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); return open_at(AT_FDCWD, path, flags, mode); }
#define OPENAT(name) \
    int name(int dir, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); return open_at(dir, path, flags, mode); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)

int close(int fd) {
    if (fd >= 0 && fd < FDS) names[fd][0] = 0;
    return (int)syscall(SYS_close, fd);
}

/* About half of a write, to the end of a sector: disks and caches do not tear inside of one. */
static size_t half(off_t offset, size_t len) {
    off_t end = (offset + (off_t)len / 2) / SECTOR * SECTOR;
    return end > offset ? (size_t)(end - offset) : 0;
}

static ssize_t write_at(int fd, const void *data, size_t len, off_t offset, int moves) {
    const char *name = name_of(fd);
    if (!name) return moves ? syscall(SYS_write, fd, data, len) : syscall(SYS_pwrite64, fd, data, len, offset);
    pthread_mutex_lock(&lock);
    if (moves) offset = lseek(fd, 0, SEEK_CUR);
    int mark = !strcmp(name, "told"), failing = !mark && fails(WRITES), error = fault_errno;
    size_t asked = failing ? (fault_torn ? half(offset, len) : 0) : len;
    ssize_t done = 0;
    if (asked) done = moves ? syscall(SYS_write, fd, data, asked) : syscall(SYS_pwrite64, fd, data, asked, offset);
    if (!failing) error = errno;
    if (done > 0) put(mark ? 'A' : 'W', name, offset, data, (size_t)done);
    pthread_mutex_unlock(&lock);
    if (failing) { errno = error; return -1; }
    errno = error;
    return done;
}

ssize_t write(int fd, const void *data, size_t len) { return write_at(fd, data, len, 0, 1); }
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) { return write_at(fd, data, len, offset, 0); }
ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset) { return write_at(fd, data, len, offset, 0); }

static int sync_fd(int fd, long call) {
    const char *name = name_of(fd);
    if (!name) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    int failing = fails(SYNCS), result = failing ? -1 : 0; /* the disk is the record: no real flush is needed */
    if (!failing) put('S', name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    if (failing) errno = fault_errno;
    return result;
}

int fsync(int fd) { return sync_fd(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_fd(fd, SYS_fdatasync); }

static int cut(int fd, off_t size) {
    const char *name = name_of(fd);
    if (!name) return (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&lock);
    int failing = fails(WRITES), result = failing ? -1 : (int)syscall(SYS_ftruncate, fd, size);
    int error = failing ? fault_errno : errno;
    if (!result) put('T', name, size, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off_t size) { return cut(fd, size); }

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0), error = errno;
    if (!result && inside(path)) put('U', inside(path), 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to), error = errno;
    if (!result && inside(from) && inside(to)) put('R', inside(from), 0, inside(to), strlen(inside(to)));
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

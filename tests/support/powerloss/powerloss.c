/*
 * Records what a program asks of the disk, so that a power cut can be played afterwards.
 *
 * Loaded before libc (LD_PRELOAD), it stands between a program and the calls that change files
 * below one folder, POWERLOSS_ROOT. Every change that succeeded is appended to a journal,
 * POWERLOSS_JOURNAL, in the order in which it took place; every sync is noted when it begins and
 * when it ends. What was noted survives the end of the process by SIGKILL, since the system holds
 * it. Whoever reads the journal knows what was written and which of it was asked to be durable,
 * and can make the folder that a power cut would have left.
 *
 * A sync is not carried out: the journal alone says what is durable, and a cut is played from it.
 * It takes POWERLOSS_SYNC_MICROSECONDS instead, so that others write meanwhile as they would.
 *
 * POWERLOSS_LIES names syncs that answer success and are not noted, as by a disk that lies, or by
 * a program that was told not to sync: "all", "logs" (files *.log), "anchor" (files below a folder
 * named anchor), "folders". They are separated by commas.
 *
 * What would go past the journal ends the program: a shared writable mapping, a file without a
 * name, a hole, a symbolic link, sync(). Copies within the kernel are refused as if it could not,
 * so that the program copies by reading and writing.
 *
 * A record, all numbers as the machine has them:
 *
 *     magic u32 | kind u32 | file u64 | place u64 | length u64 | length bytes
 *
 * The file is an inode's number, the place is that of a write, a new length, a mode, or the number
 * of a sync. The bytes are what was written, a name below the folder, or two names with a zero
 * between them.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind {
    MADE_FOLDER = 1,
    MADE_FILE = 2,
    WROTE = 3,
    CUT = 4,
    RENAMED = 5,
    LINKED = 6,
    UNLINKED = 7,
    REMOVED_FOLDER = 8,
    SYNC_BEGINS = 9,
    SYNC_ENDS = 10,
};

#define MAGIC 0x504c4f53u
#define HANDLES 65536

struct record {
    uint32_t magic, kind;
    uint64_t file, place, length;
};

/* What is known of a file descriptor. A descriptor can be closed behind our back, so the inode is
 * asked again before this is believed. */
struct handle {
    enum { NONE, A_FILE, A_FOLDER } what;
    int appends;
    ino_t file;
    char *path;
};

static char root[PATH_MAX];
static size_t root_length;
static int journal = -1;
static long sync_nanoseconds;
static int lie_all, lie_logs, lie_anchor, lie_folders;
static uint64_t syncs;
static struct handle handles[HANDLES];
/* Held over a change and its record, so that the journal has the order of the changes. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static void fatal(const char *what) {
    static const char head[] = "powerloss: ", tail[] = "\n";
    struct iovec said[] = {
        {(void *)head, sizeof head - 1}, {(void *)what, strlen(what)}, {(void *)tail, 1}};
    syscall(SYS_writev, 2, said, 3);
    abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("POWERLOSS_ROOT"), *file = getenv("POWERLOSS_JOURNAL");
    const char *pause = getenv("POWERLOSS_SYNC_MICROSECONDS"), *lies = getenv("POWERLOSS_LIES");
    if (!folder || !file) return;
    root_length = strlen(folder);
    if (folder[0] != '/' || root_length >= sizeof root) fatal("POWERLOSS_ROOT is no absolute path");
    memcpy(root, folder, root_length + 1);
    sync_nanoseconds = pause ? atol(pause) * 1000 : 0;
    if (lies) {
        lie_all = strstr(lies, "all") != NULL;
        lie_logs = strstr(lies, "logs") != NULL;
        lie_anchor = strstr(lies, "anchor") != NULL;
        lie_folders = strstr(lies, "folders") != NULL;
    }
    journal = (int)syscall(SYS_openat, AT_FDCWD, file,
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal < 0) fatal("POWERLOSS_JOURNAL cannot be written");
}

/* Appends a record. Whatever the changed call left in errno stays there. */
static void note(enum kind kind, uint64_t file, uint64_t place, const void *bytes, size_t length) {
    int before = errno;
    struct record head = {MAGIC, kind, file, place, length};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)bytes, length}};
    ssize_t written = syscall(SYS_writev, journal, parts, 2);
    if (written != (ssize_t)(sizeof head + length)) fatal("the journal cannot be written");
    errno = before;
}

static void note_names(enum kind kind, uint64_t file, uint64_t place, const char *one,
                       const char *other) {
    char names[2 * PATH_MAX];
    size_t length = strlen(one);
    memcpy(names, one, length);
    if (other) {
        names[length++] = 0;
        memcpy(names + length, other, strlen(other));
        length += strlen(other);
    }
    note(kind, file, place, names, length);
}

/* ---- Which files are meant ---- */

/* The name below the root that a path means, in `out`; NULL where it lies elsewhere. */
static const char *below_root(int folder, const char *path, char out[PATH_MAX]) {
    char whole[2 * PATH_MAX];
    if (journal < 0 || !path) return NULL;
    whole[0] = 0;
    if (path[0] != '/') {
        if (folder == AT_FDCWD) {
            if (syscall(SYS_getcwd, whole, PATH_MAX) < 0) return NULL;
        } else {
            if (folder < 0 || folder >= HANDLES || handles[folder].what != A_FOLDER) return NULL;
            int size = snprintf(whole, sizeof whole, "%s/%s", root, handles[folder].path);
            if (size < 0 || size >= PATH_MAX) return NULL;
        }
        strcat(whole, "/");
    }
    if (strlen(whole) + strlen(path) >= sizeof whole) return NULL;
    strcat(whole, path);
    /* Part by part, without "//", "/./" and "/../". */
    size_t length = 0;
    for (char *part = whole; *part;) {
        while (*part == '/') part++;
        size_t size = strcspn(part, "/");
        if (size == 0) break;
        if (size == 2 && part[0] == '.' && part[1] == '.') {
            while (length > 0 && out[--length] != '/') {}
        } else if (size != 1 || part[0] != '.') {
            if (length + size + 2 > PATH_MAX) return NULL;
            out[length++] = '/';
            memcpy(out + length, part, size);
            length += size;
        }
        part += size;
    }
    out[length] = 0;
    if (strncmp(out, root, root_length) != 0) return NULL;
    if (out[root_length] == 0) return out + root_length;
    return out[root_length] == '/' ? out + root_length + 1 : NULL;
}

static int status_of(int fd, struct stat *status) {
    return (int)syscall(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH);
}

static struct handle *handle_of(int fd) {
    struct stat status;
    if (journal < 0 || fd < 0 || fd >= HANDLES || handles[fd].what == NONE) return NULL;
    int before = errno;
    int known = status_of(fd, &status) == 0 && status.st_ino == handles[fd].file &&
                (S_ISDIR(status.st_mode) ? A_FOLDER : A_FILE) == handles[fd].what;
    errno = before;
    return known ? &handles[fd] : NULL;
}

static void forget(int fd) {
    if (journal < 0 || fd < 0 || fd >= HANDLES || handles[fd].what == NONE) return;
    free(handles[fd].path);
    memset(&handles[fd], 0, sizeof handles[fd]);
}

static void remember(int fd, const char *path, int flags, const struct stat *status) {
    if (fd >= HANDLES) fatal("more open files than can be followed");
    forget(fd);
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode)) return;
    handles[fd].what = S_ISDIR(status->st_mode) ? A_FOLDER : A_FILE;
    handles[fd].appends = (flags & O_APPEND) != 0;
    handles[fd].file = status->st_ino;
    handles[fd].path = strdup(path);
}

/* ---- Opening and closing ---- */

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char room[PATH_MAX];
    const char *name = below_root(folder, path, room);
    if (!name) {
        int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
        forget(fd);
        return fd;
    }
    if ((flags & O_TMPFILE) == O_TMPFILE) fatal("a file without a name is not followed");
    struct stat status;
    pthread_mutex_lock(&order);
    int there = syscall(SYS_newfstatat, folder, path, &status, 0) == 0;
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= 0) {
        int writes = (flags & O_ACCMODE) != O_RDONLY;
        if (status_of(fd, &status) != 0) fatal("an open file cannot be asked about");
        if (!there) note_names(MADE_FILE, status.st_ino, status.st_mode & 07777, name, NULL);
        if (there && writes && (flags & O_TRUNC)) note(CUT, status.st_ino, 0, "", 0);
        remember(fd, name, flags, &status);
    }
    pthread_mutex_unlock(&order);
    return fd;
}

#define MODE_OF(flags, mode)                                   \
    mode_t mode = 0;                                           \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list rest;                                          \
        va_start(rest, flags);                                 \
        mode = (mode_t)va_arg(rest, int);                      \
        va_end(rest);                                          \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return opened(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return opened(folder, path, flags, mode);
}

int creat(const char *path, mode_t mode) {
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int fd) {
    pthread_mutex_lock(&order);
    forget(fd);
    pthread_mutex_unlock(&order);
    return (int)syscall(SYS_close, fd);
}

static int copied(int from, int to) {
    if (to < 0 || journal < 0 || from == to) return to;
    pthread_mutex_lock(&order);
    forget(to);
    if (from >= 0 && from < HANDLES && handles[from].what != NONE) {
        if (to >= HANDLES) fatal("more open files than can be followed");
        handles[to] = handles[from];
        handles[to].path = strdup(handles[from].path);
    }
    pthread_mutex_unlock(&order);
    return to;
}

int dup(int fd) { return copied(fd, (int)syscall(SYS_dup, fd)); }

int dup3(int fd, int to, int flags) { return copied(fd, (int)syscall(SYS_dup3, fd, to, flags)); }

int dup2(int fd, int to) {
    if (fd == to) return syscall(SYS_fcntl, fd, F_GETFD) < 0 ? -1 : to;
    return dup3(fd, to, 0);
}

static int controlled(int fd, int what, void *with) {
    int done = (int)syscall(SYS_fcntl, fd, what, with);
    if (what == F_DUPFD || what == F_DUPFD_CLOEXEC) return copied(fd, done);
    if (what == F_SETFL && done == 0 && handle_of(fd)) {
        handles[fd].appends = ((intptr_t)with & O_APPEND) != 0;
    }
    return done;
}

int fcntl(int fd, int what, ...) {
    va_list rest;
    va_start(rest, what);
    void *with = va_arg(rest, void *);
    va_end(rest);
    return controlled(fd, what, with);
}

int fcntl64(int fd, int what, ...) {
    va_list rest;
    va_start(rest, what);
    void *with = va_arg(rest, void *);
    va_end(rest);
    return controlled(fd, what, with);
}

/* ---- Data ---- */

/* Notes `length` bytes out of these parts as written at a place. */
static void note_written(uint64_t file, off_t place, const struct iovec *parts, int count,
                         ssize_t length) {
    for (int i = 0; i < count && length > 0; i++) {
        size_t size = parts[i].iov_len < (size_t)length ? parts[i].iov_len : (size_t)length;
        note(WROTE, file, (uint64_t)place, parts[i].iov_base, size);
        place += (off_t)size;
        length -= (ssize_t)size;
    }
}

/* Writes where the descriptor stands, or at `*at`. */
static ssize_t wrote(int fd, const struct iovec *parts, int count, const off_t *at) {
    struct handle *handle = handle_of(fd);
    if (!handle || handle->what != A_FILE) {
        if (at) return syscall(SYS_pwritev, fd, parts, count, *at, (off_t)0);
        return syscall(SYS_writev, fd, parts, count);
    }
    pthread_mutex_lock(&order);
    off_t place;
    if (handle->appends) {
        struct stat status;
        if (status_of(fd, &status) != 0) fatal("an open file cannot be asked about");
        place = status.st_size;
    } else {
        place = at ? *at : (off_t)syscall(SYS_lseek, fd, (off_t)0, SEEK_CUR);
    }
    ssize_t length = at ? syscall(SYS_pwritev, fd, parts, count, *at, (off_t)0)
                        : syscall(SYS_writev, fd, parts, count);
    if (length > 0) note_written(handle->file, place, parts, count, length);
    pthread_mutex_unlock(&order);
    return length;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!handle_of(fd)) return syscall(SYS_write, fd, bytes, length);
    struct iovec part = {(void *)bytes, length};
    return wrote(fd, &part, 1, NULL);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    struct iovec part = {(void *)bytes, length};
    return wrote(fd, &part, 1, &at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    return pwrite(fd, bytes, length, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    return wrote(fd, parts, count, NULL);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    return wrote(fd, parts, count, &at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    return wrote(fd, parts, count, &at);
}

int ftruncate(int fd, off_t length) {
    struct handle *handle = handle_of(fd);
    if (!handle) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&order);
    int done = (int)syscall(SYS_ftruncate, fd, length);
    if (done == 0) note(CUT, handle->file, (uint64_t)length, "", 0);
    pthread_mutex_unlock(&order);
    return done;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int truncate(const char *path, off_t length) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int done = ftruncate(fd, length);
    close(fd);
    return done;
}

int truncate64(const char *path, off64_t length) { return truncate(path, length); }

int fallocate(int fd, int mode, off_t from, off_t length) {
    struct handle *handle = handle_of(fd);
    struct stat status;
    if (!handle) return (int)syscall(SYS_fallocate, fd, mode, from, length);
    pthread_mutex_lock(&order);
    if (status_of(fd, &status) != 0) fatal("an open file cannot be asked about");
    /* Room behind the end changes nothing that could be read, and neither does giving it back. */
    int keeps = (mode & FALLOC_FL_KEEP_SIZE) != 0;
    if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0 && (!keeps || from < status.st_size))
        fatal("a hole in a file is not followed");
    int done = (int)syscall(SYS_fallocate, fd, mode, from, length);
    if (done == 0 && !keeps && from + length > status.st_size)
        note(CUT, handle->file, (uint64_t)(from + length), "", 0);
    pthread_mutex_unlock(&order);
    return done;
}

int fallocate64(int fd, int mode, off64_t from, off64_t length) {
    return fallocate(fd, mode, from, length);
}

int posix_fallocate(int fd, off_t from, off_t length) {
    int before = errno;
    int failed = fallocate(fd, 0, from, length) == 0 ? 0 : errno;
    errno = before;
    return failed;
}

int posix_fallocate64(int fd, off64_t from, off64_t length) {
    return posix_fallocate(fd, from, length);
}

void *mmap(void *at, size_t length, int access, int flags, int fd, off_t from) {
    if (fd >= 0 && (access & PROT_WRITE) && (flags & MAP_SHARED) && handle_of(fd))
        fatal("a shared writable mapping is not followed");
    return (void *)syscall(SYS_mmap, at, length, access, flags, fd, from);
}

void *mmap64(void *at, size_t length, int access, int flags, int fd, off64_t from) {
    return mmap(at, length, access, flags, fd, from);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length,
                        unsigned flags) {
    if (!handle_of(out))
        return syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags);
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile(int out, int in, off_t *at, size_t length) {
    if (!handle_of(out)) return syscall(SYS_sendfile, out, in, at, length);
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(int out, int in, off64_t *at, size_t length) {
    return sendfile(out, in, at, length);
}

ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t length, unsigned flags) {
    if (!handle_of(out)) return syscall(SYS_splice, in, in_at, out, out_at, length, flags);
    errno = EINVAL;
    return -1;
}

/* ---- Names ---- */

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    char from_room[PATH_MAX], to_room[PATH_MAX];
    const char *old_name = below_root(from_folder, from, from_room);
    const char *new_name = below_root(to_folder, to, to_room);
    if (!old_name && !new_name)
        return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (!old_name || !new_name || (flags & ~(unsigned)RENAME_NOREPLACE))
        fatal("a rename into the folder, out of it, or in exchange is not followed");
    pthread_mutex_lock(&order);
    int done = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (done == 0) note_names(RENAMED, 0, 0, old_name, new_name);
    pthread_mutex_unlock(&order);
    return done;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return renameat2(from_folder, from, to_folder, to, 0);
}

int rename(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char from_room[PATH_MAX], to_room[PATH_MAX];
    const char *old_name = below_root(from_folder, from, from_room);
    const char *new_name = below_root(to_folder, to, to_room);
    if (!new_name) return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    if (!old_name) fatal("a link into the folder is not followed");
    pthread_mutex_lock(&order);
    int done = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    if (done == 0) note_names(LINKED, 0, 0, old_name, new_name);
    pthread_mutex_unlock(&order);
    return done;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int symlinkat(const char *from, int folder, const char *to) {
    char room[PATH_MAX];
    if (below_root(folder, to, room)) fatal("a symbolic link is not followed");
    return (int)syscall(SYS_symlinkat, from, folder, to);
}

int symlink(const char *from, const char *to) { return symlinkat(from, AT_FDCWD, to); }

int unlinkat(int folder, const char *path, int flags) {
    char room[PATH_MAX];
    const char *name = below_root(folder, path, room);
    if (!name) return (int)syscall(SYS_unlinkat, folder, path, flags);
    pthread_mutex_lock(&order);
    int done = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (done == 0)
        note_names((flags & AT_REMOVEDIR) ? REMOVED_FOLDER : UNLINKED, 0, 0, name, NULL);
    pthread_mutex_unlock(&order);
    return done;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int folder, const char *path, mode_t mode) {
    char room[PATH_MAX];
    const char *name = below_root(folder, path, room);
    if (!name) return (int)syscall(SYS_mkdirat, folder, path, mode);
    struct stat status;
    pthread_mutex_lock(&order);
    int done = (int)syscall(SYS_mkdirat, folder, path, mode);
    if (done == 0) {
        if (syscall(SYS_newfstatat, folder, path, &status, 0) != 0)
            fatal("a new folder cannot be asked about");
        note_names(MADE_FOLDER, status.st_ino, status.st_mode & 07777, name, NULL);
    }
    pthread_mutex_unlock(&order);
    return done;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* ---- Syncs ---- */

static int lies_about(const struct handle *handle) {
    const char *end = strrchr(handle->path, '.');
    if (lie_all) return 1;
    if (handle->what == A_FOLDER) return lie_folders;
    if (lie_logs && end && strcmp(end, ".log") == 0) return 1;
    return lie_anchor && strstr(handle->path, "/anchor/") != NULL;
}

/* Notes that a sync begins and, after a while, that it has ended: all that was noted for the file
 * before it began is durable from then on. */
static int synced(const struct handle *handle) {
    struct timespec pause = {sync_nanoseconds / 1000000000, sync_nanoseconds % 1000000000};
    uint64_t file = handle->file, number = 0;
    int lie = lies_about(handle);
    pthread_mutex_lock(&order);
    number = ++syncs;
    if (!lie) note(SYNC_BEGINS, file, number, "", 0);
    pthread_mutex_unlock(&order);
    if (sync_nanoseconds > 0) nanosleep(&pause, NULL);
    pthread_mutex_lock(&order);
    if (!lie) note(SYNC_ENDS, file, number, "", 0);
    pthread_mutex_unlock(&order);
    return 0;
}

int fsync(int fd) {
    struct handle *handle = handle_of(fd);
    return handle ? synced(handle) : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    struct handle *handle = handle_of(fd);
    return handle ? synced(handle) : (int)syscall(SYS_fdatasync, fd);
}

/* Makes nothing durable, by its own manual: the file's length is not written. */
int sync_file_range(int fd, off64_t from, off64_t length, unsigned flags) {
    if (handle_of(fd)) return 0;
    return (int)syscall(SYS_sync_file_range, fd, from, length, flags);
}

int syncfs(int fd) {
    if (handle_of(fd)) fatal("a sync of the whole file system is not followed");
    return (int)syscall(SYS_syncfs, fd);
}

void sync(void) {
    if (journal >= 0) fatal("a sync of everything is not followed");
    syscall(SYS_sync);
}

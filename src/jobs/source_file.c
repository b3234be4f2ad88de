/* source_file: see source_file.h. */
#include "jobs/source_file.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void stamp_of(struct file_stamp *stamp, const struct stat *stat)
{
    *stamp = (struct file_stamp){.is_there = true,
                                 .device = stat->st_dev,
                                 .inode = stat->st_ino,
                                 .size = stat->st_size,
                                 .changed_ns = (int64_t)stat->st_mtim.tv_sec * 1000000000 +
                                               stat->st_mtim.tv_nsec};
}

void file_stamp_take(struct file_stamp *stamp, const char *path)
{
    struct stat stat_now;
    *stamp = (struct file_stamp){.is_there = false};
    if (stat(path, &stat_now) == 0)
        stamp_of(stamp, &stat_now);
}

bool file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->is_there == b->is_there && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->changed_ns == b->changed_ns;
}

/* False: it is not of that length any more, or errno says what is wrong. */
static bool read_all(int fd, char *text, size_t len)
{
    size_t at = 0;
    ssize_t got = 1;
    errno = 0;
    while (at < len && got > 0) {
        got = read(fd, text + at, len - at);
        if (got > 0)
            at += (size_t)got;
    }
    return at == len;
}

static char *read_text(int fd, int64_t max_bytes, size_t *len, struct err *err)
{
    struct file_stamp before, after;
    struct stat stat_before, stat_after;
    if (fstat(fd, &stat_before) != 0) {
        err_set(err, ERR_GENERAL, "%s", strerror(errno));
        return NULL;
    }
    if (!S_ISREG(stat_before.st_mode)) { /* reading a device or a pipe may never end */
        err_set(err, ERR_GENERAL, "it is not a file");
        return NULL;
    }
    if (stat_before.st_size > max_bytes) {
        err_set(err, ERR_GENERAL, "it has more than %lld bytes (source_max_size)",
                (long long)max_bytes);
        return NULL;
    }
    *len = (size_t)stat_before.st_size;
    char *text = mem_alloc(*len + 1);
    bool is_whole = read_all(fd, text, *len);
    int error = errno;
    stamp_of(&before, &stat_before);
    if (is_whole && fstat(fd, &stat_after) == 0) {
        stamp_of(&after, &stat_after);
        if (file_stamp_eq(&before, &after))
            return text;
        error = 0;
    }
    mem_free(text);
    err_set(err, ERR_GENERAL, "%s",
            error != 0 ? strerror(error) : "it was written to while it was read");
    return NULL;
}

char *source_file_read(const char *path, int64_t max_bytes, size_t *len, struct err *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        err_set(err, ERR_GENERAL, "%s", strerror(errno));
        return NULL;
    }
    char *text = read_text(fd, max_bytes, len, err);
    close(fd);
    return text;
}

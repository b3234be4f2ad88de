/* source_file: a list in a file: whether it has changed, and its text. Local files: a look at one,
 * or reading it, takes no time that others would notice.
 * Knows: files.  Must not know: lists. */
#ifndef JOBS_SOURCE_FILE_H
#define JOBS_SOURCE_FILE_H

#include "base/err.h"
#include <stdint.h>
#include <sys/types.h>

/* What changes with a file: written to, replaced by another (as editors do), gone, come. */
struct file_stamp {
    bool is_there;
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t changed_ns; /* Unix time */
};

void file_stamp_take(struct file_stamp *stamp, const char *path);
bool file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b);

/* The whole file, the caller's to free by mem_free(). NULL and err: it cannot be read, is no file,
 * is longer than max_bytes, or was written to meanwhile. */
char *source_file_read(const char *path, int64_t max_bytes, size_t *len, struct err *err);

#endif

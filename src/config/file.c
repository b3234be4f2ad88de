/* file: the file's layer of settings. inih splits the lines; it cuts long lines and long section
 * names without a word and gives no line numbers, so the lines are read and watched here.
 * See layers.h. */
#include "base/mem.h"
#include "config/layers.h"
#include <errno.h>
#include <ini.h>
#include <stdlib.h>

/* Debian's inih lets a program choose its longest line; elsewhere that was fixed when inih was
 * built, and there the variable does not exist. */
#define LONGEST_LINE 65536
extern int ini_max_line __attribute__((weak));

struct reader {
    struct layers *layers;
    const char *path;
    FILE *file;
    char *line; /* getline's */
    size_t line_size;
    int number;    /* of the line, from 1 */
    char *section; /* whole, as it stands in the file; NULL before the first */
    struct err *err;
    int failed_line; /* where err was set; 0: nowhere */
};

static void print_where(const struct reader *reader, char *out, size_t size)
{
    snprintf(out, size, "%s:%d", reader->path, reader->number);
}

/* Notes an error at the present line; the first one counts. */
static void fail(struct reader *reader, const char *why)
{
    if (reader->failed_line != 0)
        return;
    reader->failed_line = reader->number;
    err_set(reader->err, ERR_GENERAL, "%s:%d: %s", reader->path, reader->number, why);
}

/* A section counts when its line is read, for it may be empty, and [pool:gpu] names a pool even
 * so. */
static void enter_section(struct reader *reader, struct str line)
{
    long end = str_find(line, STR("]"));
    enum key_section kind;
    struct str pool;

    if (end < 0)
        return; /* inih complains */
    struct str rest = str_trim(str_make(line.ptr + end + 1, line.len - (size_t)end - 1));
    if (rest.len > 0 && rest.ptr[0] != ';' && rest.ptr[0] != '#') {
        fail(reader, "text after the ] of a section");
        return;
    }
    mem_free(reader->section);
    reader->section = mem_dup(str_make(line.ptr + 1, (size_t)end - 1));
    if (!key_parse_section(str_of(reader->section), &kind, &pool, reader->err)) {
        reader->failed_line = reader->number;
        err_wrap(reader->err, "%s:%d", reader->path, reader->number);
    } else if (key_is_named(kind)) {
        layers_name(reader->layers, kind, pool);
    }
}

/* inih's reader: the next line into `out`, NULL at the end or when something is wrong. */
static char *read_line(char *out, int size, void *arg)
{
    struct reader *reader = arg;

    if (reader->failed_line != 0)
        return NULL;
    errno = 0;
    ssize_t len = getline(&reader->line, &reader->line_size, reader->file);
    reader->number++;
    if (len < 0) {
        if (ferror(reader->file))
            fail(reader, strerror(errno));
        return NULL;
    }
    struct str line = str_make(reader->line, (size_t)len);
    if (reader->number == 1 && str_starts(line, STR("\xef\xbb\xbf")))
        line = str_make(line.ptr + 3, line.len - 3);
    /* without blanks in front: for inih they would continue the value of the line before */
    line = str_trim(line);
    if (memchr(reader->line, '\0', (size_t)len) != NULL) {
        fail(reader, "the line holds a NUL byte");
        return NULL;
    }
    if (line.len + 2 > (size_t)size) {
        char why[80];
        snprintf(why, sizeof(why), "the line is longer than %d bytes", size - 2);
        fail(reader, why);
        return NULL;
    }
    if (line.len > 0 && line.ptr[0] == '[')
        enter_section(reader, line);
    memcpy(out, line.ptr, line.len);
    memcpy(out + line.len, "\n", 2);
    return reader->failed_line != 0 ? NULL : out;
}

/* inih's handler: one key of the present section. */
static int take_key(void *arg, const char *section, const char *name, const char *value)
{
    struct reader *reader = arg;
    char where[4200];
    (void)section; /* may be cut */

    if (reader->failed_line != 0)
        return 0;
    if (reader->section == NULL) {
        fail(reader, "a key before the first [section]");
        return 0;
    }
    print_where(reader, where, sizeof(where));
    if (layers_give(reader->layers, LAYER_FILE, where, str_of(reader->section), str_of(name),
                    str_of(value), reader->err))
        return 1;
    reader->failed_line = reader->number;
    return 0;
}

bool layers_read_file(struct layers *layers, const char *path, struct err *err)
{
    struct reader reader = {.layers = layers, .path = path, .err = err};

    reader.file = fopen(path, "re");
    if (reader.file == NULL)
        return err_set(err, ERR_GENERAL, "%s: %s", path, strerror(errno));
    if (&ini_max_line != NULL)
        ini_max_line = LONGEST_LINE;
    int bad_line = ini_parse_stream(read_line, &reader, take_key, &reader);
    /* inih goes on after a line that it cannot read; ours may be a later one */
    if (bad_line > 0 && (reader.failed_line == 0 || bad_line < reader.failed_line)) {
        reader.failed_line = bad_line;
        err_set(err, ERR_GENERAL, "%s:%d: neither [section] nor KEY = VALUE", path, bad_line);
    } else if (bad_line < 0) {
        reader.failed_line = -1;
        err_set(err, ERR_GENERAL, "%s: not enough memory to read it", path);
    }
    fclose(reader.file);
    free(reader.line);
    mem_free(reader.section);
    return reader.failed_line == 0;
}

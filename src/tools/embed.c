/* embed: makes C out of the Lua scripts, at build time: `embed <lua folder> <scripts.h>
 * <scripts.c>`.
 *
 * A file whose opening comment has a line "-- keys: ..." is an operation and becomes a script; all
 * others are parts, which come in by lines "-- include: pool/list.lua" (relative to the folder,
 * each file once for a script, an included file's text before the includer's). Lines that are blank
 * or only a comment are left out; for every line that stays its file and number are kept, so that
 * an error of Redis can be told in terms of the source. Knows: libc, OpenSSL's SHA1.  Must not
 * know: the daemon; only the shape of redis/script.h. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_KEYS = 24, MAX_DEPTH = 32, MAX_PATH = 4096, MAX_NAME = 128 };

/* What the lexer is inside of when a line begins. */
enum lex {
    LEX_CODE,
    LEX_LONG_STRING,  /* [[ ... ]] */
    LEX_LONG_COMMENT, /* --[[ ... ]] */
    LEX_QUOTED        /* a quoted string whose line ended in a backslash */
};

struct lexer {
    enum lex state;
    int level;  /* '=' signs in the long bracket */
    char quote; /* of LEX_QUOTED */
};

struct source {
    char *path; /* relative to the folder: "pool/batch.lua" */
    char *text;
    size_t len;
    bool is_operation;
    int keys_line;
    char keys[MAX_KEYS][MAX_NAME];
    int key_count;
};

struct line {
    const struct source *source;
    int number;
};

struct text {
    char *bytes;
    size_t len, room;
};

struct assembly {
    struct text text;
    struct line *lines;
    size_t line_count, line_room;
    const struct source **included;
    size_t included_count;
    const struct source *open[MAX_DEPTH]; /* the chain of includes that is being read */
    int depth;
    bool uses_key[MAX_KEYS + 1];
};

struct folder {
    const char *name;
    struct source **sources; /* sorted by path */
    size_t count, room;
};

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("embed: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void *grow(void *ptr, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return ptr;
    size_t wanted = *room == 0 ? 64 : *room * 2;
    void *bigger = realloc(ptr, wanted * size);
    if (bigger == NULL)
        die("out of memory");
    memset((char *)bigger + *room * size, 0, (wanted - *room) * size);
    *room = wanted;
    return bigger;
}

static char *room_for(size_t len)
{
    char *out = calloc(1, len + 1);
    if (out == NULL)
        die("out of memory");
    return out;
}

static void add_text(struct text *text, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        text->bytes = grow(text->bytes, text->len, &text->room, 1);
        text->bytes[text->len++] = bytes[i];
    }
}

/* --- lines of Lua -------------------------------------------------------------------------------
 */

/* The level of a long bracket that opens at `at`, -1 when there is none. */
static int long_bracket(const char *line, size_t len, size_t at)
{
    if (at >= len || line[at] != '[')
        return -1;
    size_t i = at + 1;
    while (i < len && line[i] == '=')
        i++;
    return i < len && line[i] == '[' ? (int)(i - at - 1) : -1;
}

/* Where the code after the end of the long bracket goes on, or len when it does not end here. */
static size_t skip_long(struct lexer *lexer, const char *line, size_t len, size_t at)
{
    for (; at < len; at++) {
        if (line[at] != ']')
            continue;
        size_t i = at + 1;
        while (i < len && line[i] == '=')
            i++;
        if (i < len && line[i] == ']' && (int)(i - at - 1) == lexer->level) {
            lexer->state = LEX_CODE;
            return i + 1;
        }
    }
    return len;
}

static size_t skip_quoted(struct lexer *lexer, const char *line, size_t len, size_t at)
{
    for (; at < len; at++) {
        if (line[at] == '\\') {
            at++;
        } else if (line[at] == lexer->quote) {
            lexer->state = LEX_CODE;
            return at + 1;
        }
    }
    /* Without a backslash at its end the string is broken: Redis will say so. */
    if (at == len)
        lexer->state = LEX_CODE;
    return len;
}

/* Reads one line; `code` becomes the line with blanks in place of its comments. */
static void lex_line(struct lexer *lexer, const char *line, size_t len, char *code)
{
    size_t at = 0;
    memcpy(code, line, len);
    while (at < len) {
        size_t from = at;
        bool was_comment = lexer->state == LEX_LONG_COMMENT;
        if (was_comment || lexer->state == LEX_LONG_STRING) {
            at = skip_long(lexer, line, len, at);
        } else if (lexer->state == LEX_QUOTED) {
            at = skip_quoted(lexer, line, len, at);
        } else if (line[at] == '-' && at + 1 < len && line[at + 1] == '-') {
            lexer->level = long_bracket(line, len, at + 2);
            was_comment = true;
            if (lexer->level >= 0)
                lexer->state = LEX_LONG_COMMENT;
            at = lexer->level >= 0 ? at + 4 + (size_t)lexer->level : len;
        } else if (line[at] == '"' || line[at] == '\'') {
            lexer->state = LEX_QUOTED;
            lexer->quote = line[at++];
        } else if (long_bracket(line, len, at) >= 0) {
            lexer->level = long_bracket(line, len, at);
            lexer->state = LEX_LONG_STRING;
            at += 2 + (size_t)lexer->level;
        } else {
            at++;
        }
        if (was_comment)
            memset(code + from, ' ', at - from);
    }
}

static bool is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isspace((unsigned char)line[i]))
            return false;
    }
    return true;
}

/* A line without meaning: no code, and no string or comment that begins or ends in it. */
static bool is_idle(enum lex before, enum lex after, const char *code, size_t len)
{
    return before == after && (before == LEX_CODE || before == LEX_LONG_COMMENT) &&
           is_blank(code, len);
}

/* The text after "-- <word>:" when the line has this form; else NULL. */
static const char *directive(const char *line, size_t len, const char *word, size_t *rest_len)
{
    size_t word_len = strlen(word);
    if (len < 4 + word_len || memcmp(line, "-- ", 3) != 0 ||
        memcmp(line + 3, word, word_len) != 0 || line[3 + word_len] != ':')
        return NULL;
    *rest_len = len - 4 - word_len;
    return line + 4 + word_len;
}

/* Cuts the next word off; false at the end. */
static bool next_word(const char **at, size_t *left, const char **word, size_t *len)
{
    while (*left > 0 && isspace((unsigned char)**at)) {
        (*at)++;
        (*left)--;
    }
    *word = *at;
    while (*left > 0 && !isspace((unsigned char)**at)) {
        (*at)++;
        (*left)--;
    }
    *len = (size_t)(*at - *word);
    return *len > 0;
}

/* --- reading the folder -------------------------------------------------------------------------
 */

static void read_keys(const struct folder *folder, struct source *source, const char *rest,
                      size_t left, int number)
{
    const char *word;
    size_t len;
    if (source->is_operation)
        die("%s/%s:%d: a second \"-- keys:\" line", folder->name, source->path, number);
    source->is_operation = true;
    source->keys_line = number;
    while (next_word(&rest, &left, &word, &len) && word[len - 1] != ':') {
        if (source->key_count == MAX_KEYS)
            die("%s/%s:%d: more than %d keys", folder->name, source->path, number, MAX_KEYS);
        bool is_name = len < MAX_NAME;
        for (size_t i = 0; i < len; i++)
            is_name = is_name && (islower((unsigned char)word[i]) || word[i] == '_' ||
                                  (i > 0 && isdigit((unsigned char)word[i])));
        if (!is_name)
            die("%s/%s:%d: the key '%.*s' is not a name of a-z, 0-9 and _", folder->name,
                source->path, number, (int)len, word);
        memcpy(source->keys[source->key_count], word, len);
        for (int i = 0; i < source->key_count; i++) {
            if (strcmp(source->keys[i], source->keys[source->key_count]) == 0)
                die("%s/%s:%d: the key '%s' is named twice", folder->name, source->path, number,
                    source->keys[i]);
        }
        source->key_count++;
    }
    if (source->key_count == 0)
        die("%s/%s:%d: a \"-- keys:\" line without keys", folder->name, source->path, number);
}

/* Looks for the "-- keys:" line in the comment that opens the file. */
static void read_header(const struct folder *folder, struct source *source)
{
    const char *at = source->text;
    const char *end = source->text + source->len;
    for (int number = 1; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop == NULL ? end : stop) - at);
        size_t left;
        const char *rest = directive(at, len, "keys", &left);
        if (rest != NULL)
            read_keys(folder, source, rest, left, number);
        if (len < 2 || memcmp(at, "--", 2) != 0)
            return;
        at += len + (stop != NULL);
    }
}

static void read_file(struct folder *folder, const char *path)
{
    char full[MAX_PATH];
    if (snprintf(full, sizeof(full), "%s/%s", folder->name, path) >= (int)sizeof(full))
        die("%s/%s: the path is too long", folder->name, path);
    FILE *file = fopen(full, "rb");
    if (file == NULL)
        die("%s: %s", full, strerror(errno));
    struct source *source = calloc(1, sizeof(*source));
    if (source == NULL)
        die("out of memory");
    struct text text = {0};
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        add_text(&text, chunk, got);
    if (ferror(file))
        die("%s: %s", full, strerror(errno));
    fclose(file);
    if (text.len > 0 && memchr(text.bytes, '\0', text.len) != NULL)
        die("%s: holds a NUL byte", full);
    source->path = strdup(path);
    if (source->path == NULL)
        die("out of memory");
    source->text = text.len > 0 ? text.bytes : room_for(0);
    source->len = text.len;
    read_header(folder, source);
    folder->sources =
        grow(folder->sources, folder->count, &folder->room, sizeof(folder->sources[0]));
    folder->sources[folder->count++] = source;
}

static void read_folder(struct folder *folder, const char *below)
{
    char full[MAX_PATH], path[MAX_PATH];
    snprintf(full, sizeof(full), "%s/%s", folder->name, below);
    DIR *dir = opendir(full);
    if (dir == NULL)
        die("%s: %s", full, strerror(errno));
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct stat info;
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof(path), "%s%s%s", below, below[0] == '\0' ? "" : "/",
                     entry->d_name) >= (int)sizeof(path) ||
            snprintf(full, sizeof(full), "%s/%s", folder->name, path) >= (int)sizeof(full))
            die("%s/%s/%s: the path is too long", folder->name, below, entry->d_name);
        if (stat(full, &info) != 0)
            die("%s: %s", full, strerror(errno));
        if (S_ISDIR(info.st_mode))
            read_folder(folder, path);
        else if (len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0)
            read_file(folder, path);
    }
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    const struct source *const *left = a;
    const struct source *const *right = b;
    return strcmp((*left)->path, (*right)->path);
}

static const struct source *find_source(const struct folder *folder, const char *path, size_t len)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (strlen(folder->sources[i]->path) == len &&
            memcmp(folder->sources[i]->path, path, len) == 0)
            return folder->sources[i];
    }
    return NULL;
}

/* --- assembling a script ------------------------------------------------------------------------
 */

static void assemble(const struct folder *folder, struct assembly *assembly,
                     const struct source *source);

static void include(const struct folder *folder, struct assembly *assembly,
                    const struct source *from, int number, const char *rest, size_t left)
{
    const char *word;
    const char *more;
    size_t len;
    size_t more_len;
    if (!next_word(&rest, &left, &word, &len) || next_word(&rest, &left, &more, &more_len))
        die("%s/%s:%d: an include line names one file", folder->name, from->path, number);
    const struct source *source = find_source(folder, word, len);
    if (source == NULL)
        die("%s/%s:%d: there is no file %s/%.*s", folder->name, from->path, number, folder->name,
            (int)len, word);
    if (source->is_operation)
        die("%s/%s:%d: %s has a \"-- keys:\" line: it is an operation, not a part", folder->name,
            from->path, number, source->path);
    for (int i = 0; i < assembly->depth; i++) {
        if (assembly->open[i] == source)
            die("%s/%s:%d: including %s here makes a circle", folder->name, from->path, number,
                source->path);
    }
    for (size_t i = 0; i < assembly->included_count; i++) {
        if (assembly->included[i] == source)
            return;
    }
    if (assembly->depth == MAX_DEPTH)
        die("%s/%s:%d: includes are nested too deep", folder->name, from->path, number);
    assembly->included[assembly->included_count++] = source;
    assemble(folder, assembly, source);
}

static void note_keys(const struct folder *folder, struct assembly *assembly,
                      const struct source *source, int number, const char *line, size_t len)
{
    for (size_t i = 0; i + 5 < len; i++) {
        if (memcmp(line + i, "KEYS[", 5) != 0)
            continue;
        size_t at = i + 5;
        long n = 0;
        while (at < len && isdigit((unsigned char)line[at]) && n <= MAX_KEYS)
            n = n * 10 + (line[at++] - '0');
        if (at == i + 5 || at >= len || line[at] != ']')
            die("%s/%s:%d: KEYS[] wants a plain number", folder->name, source->path, number);
        if (n < 1 || n > assembly->open[0]->key_count)
            die("%s/%s:%d: KEYS[%ld] in %s, whose \"-- keys:\" line names %d", folder->name,
                source->path, number, n, assembly->open[0]->path, assembly->open[0]->key_count);
        assembly->uses_key[n] = true;
    }
}

static void add_line(struct assembly *assembly, const struct source *source, int number,
                     const char *line, size_t len)
{
    add_text(&assembly->text, line, len);
    add_text(&assembly->text, "\n", 1);
    assembly->lines = grow(assembly->lines, assembly->line_count, &assembly->line_room,
                           sizeof(assembly->lines[0]));
    assembly->lines[assembly->line_count++] = (struct line){source, number};
}

/* Includes first, wherever their lines stand, so that parts are above what uses them; then the
 * file's own lines. */
static void assemble(const struct folder *folder, struct assembly *assembly,
                     const struct source *source)
{
    assembly->open[assembly->depth++] = source;
    for (int pass = 0; pass < 2; pass++) {
        struct lexer lexer = {.state = LEX_CODE};
        char *code = room_for(source->len);
        const char *at = source->text;
        const char *end = source->text + source->len;
        for (int number = 1; at < end; number++) {
            const char *stop = memchr(at, '\n', (size_t)(end - at));
            size_t len = (size_t)((stop == NULL ? end : stop) - at);
            size_t left;
            enum lex before = lexer.state;
            lex_line(&lexer, at, len, code);
            const char *rest = before == LEX_CODE ? directive(at, len, "include", &left) : NULL;
            if (pass == 0 && rest != NULL)
                include(folder, assembly, source, number, rest, left);
            if (pass == 1 && !is_idle(before, lexer.state, code, len)) {
                note_keys(folder, assembly, source, number, code, len);
                add_line(assembly, source, number, at, len);
            }
            at += len + (stop != NULL);
        }
        free(code);
        if (lexer.state != LEX_CODE)
            die("%s/%s: a string or comment does not end", folder->name, source->path);
    }
    assembly->depth--;
}

/* --- writing ------------------------------------------------------------------------------------
 */

static void enum_name(const struct folder *folder, const struct source *source, char *out,
                      size_t size)
{
    size_t len = strlen(source->path) - 4;
    if (len + 8 >= size)
        die("%s/%s: the path is too long", folder->name, source->path);
    memcpy(out, "SCRIPT_", 7);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)source->path[i];
        if (!islower(c) && !isdigit(c) && c != '_' && c != '/')
            die("%s/%s: a path is made of a-z, 0-9, _ and /", folder->name, source->path);
        out[7 + i] = c == '/' ? '_' : (char)toupper(c);
    }
    out[7 + len] = '\0';
}

static void write_string(FILE *out, const char *text, size_t len)
{
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            fputs("\\n", out);
        else if (c == '"' || c == '\\' || c == '?') /* '?': no trigraphs */
            fprintf(out, "\\%c", c);
        else if (c >= 0x20 && c < 0x7f)
            fputc(c, out);
        else
            fprintf(out, "\\%03o", c);
    }
    fputc('"', out);
}

static void write_text(FILE *out, const struct text *text)
{
    const char *at = text->bytes;
    const char *end = text->bytes + text->len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)(stop - at) + 1;
        fputs("    ", out);
        write_string(out, at, len);
        at += len;
        fputs(at < end ? "\n" : ";\n", out);
    }
}

static void write_sha1(char out[41], const struct text *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len;
    if (EVP_Digest(text->bytes, text->len, digest, &len, EVP_sha1(), NULL) != 1 || len != 20)
        die("SHA1 failed");
    for (unsigned int i = 0; i < len; i++)
        snprintf(out + (size_t)i * 2, 3, "%02x", digest[i]);
}

/* One script's strings and line table; its row in the table is collected in `rows`. */
static void write_script(FILE *out, FILE *rows, const struct folder *folder,
                         const struct source *source)
{
    struct assembly assembly = {0};
    char name[MAX_NAME], sha[41];
    enum_name(folder, source, name, sizeof(name));
    assembly.included = calloc(folder->count, sizeof(assembly.included[0]));
    if (assembly.included == NULL)
        die("out of memory");
    assemble(folder, &assembly, source);
    for (int i = 1; i <= source->key_count; i++) {
        if (!assembly.uses_key[i])
            die("%s/%s:%d: the key '%s' is not used: KEYS[%d] occurs nowhere", folder->name,
                source->path, source->keys_line, source->keys[i - 1], i);
    }
    write_sha1(sha, &assembly.text);

    fprintf(out, "\nstatic const char text_of_%s[] =\n", name + 7);
    write_text(out, &assembly.text);
    fprintf(out, "static const char *const keys_of_%s[] = {", name + 7);
    for (int i = 0; i < source->key_count; i++)
        fprintf(out, "%s\"%s\"", i == 0 ? "" : ", ", source->keys[i]);
    fprintf(out, "};\nstatic const struct script_line lines_of_%s[] = {\n", name + 7);
    for (size_t i = 0; i < assembly.line_count; i++)
        fprintf(out, "    {\"lua/%s\", %d},\n", assembly.lines[i].source->path,
                assembly.lines[i].number);
    fputs("};\n", out);
    fprintf(rows,
            "    [%s] =\n"
            "        {\n"
            "            .name = \"%.*s\",\n"
            "            .text = {text_of_%s, sizeof(text_of_%s) - 1},\n"
            "            .sha = \"%s\",\n"
            "            .keys = keys_of_%s,\n"
            "            .key_count = %d,\n"
            "            .lines = lines_of_%s,\n"
            "            .line_count = %zu,\n"
            "        },\n",
            name, (int)strlen(source->path) - 4, source->path, name + 7, name + 7, sha, name + 7,
            source->key_count, name + 7, assembly.line_count);
    free(assembly.text.bytes);
    free(assembly.lines);
    free(assembly.included);
}

static FILE *create(char temp[MAX_PATH], const char *path)
{
    if (snprintf(temp, MAX_PATH, "%s.new", path) >= MAX_PATH)
        die("%s: the path is too long", path);
    FILE *file = fopen(temp, "wb");
    if (file == NULL)
        die("%s: %s", temp, strerror(errno));
    return file;
}

/* Only a file that is whole gets the name that make looks at. */
static void publish(FILE *file, const char *temp, const char *path)
{
    bool failed = fflush(file) != 0 || ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    if (failed || rename(temp, path) != 0)
        die("%s: %s", path, strerror(errno));
}

static void write_header(const struct folder *folder, const char *path)
{
    char temp[MAX_PATH], name[MAX_NAME];
    FILE *out = create(temp, path);
    fputs("/* scripts: made from lua/ by tools/embed: do not edit. */\n"
          "#ifndef REDIS_SCRIPTS_H\n#define REDIS_SCRIPTS_H\n\nenum script_id {\n"
          "    SCRIPT_NONE,\n",
          out);
    for (size_t i = 0; i < folder->count; i++) {
        if (!folder->sources[i]->is_operation)
            continue;
        enum_name(folder, folder->sources[i], name, sizeof(name));
        fprintf(out, "    %s,\n", name);
    }
    fputs("    SCRIPT_COUNT\n};\n\n#endif\n", out);
    publish(out, temp, path);
}

static void write_table(const struct folder *folder, const char *path)
{
    char temp[MAX_PATH];
    char *rows_text = NULL;
    size_t rows_len = 0;
    FILE *out = create(temp, path);
    FILE *rows = open_memstream(&rows_text, &rows_len);
    if (rows == NULL)
        die("out of memory");
    fputs("/* scripts: made from lua/ by tools/embed: do not edit. */\n"
          "#include \"redis/script.h\"\n",
          out);
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->sources[i]->is_operation)
            write_script(out, rows, folder, folder->sources[i]);
    }
    fclose(rows);
    fprintf(out, "\nconst struct script script_table[SCRIPT_COUNT] = {\n%s};\n", rows_text);
    free(rows_text);
    publish(out, temp, path);
}

/* Two paths may give one name: "a/b_c" and "a_b/c". */
static void check_names(const struct folder *folder)
{
    char a[MAX_NAME], b[MAX_NAME];
    size_t operations = 0;
    for (size_t i = 0; i < folder->count; i++) {
        if (!folder->sources[i]->is_operation)
            continue;
        operations++;
        enum_name(folder, folder->sources[i], a, sizeof(a));
        for (size_t j = 0; j < i; j++) {
            if (!folder->sources[j]->is_operation)
                continue;
            enum_name(folder, folder->sources[j], b, sizeof(b));
            if (strcmp(a, b) == 0)
                die("%s/%s and %s/%s both become %s", folder->name, folder->sources[j]->path,
                    folder->name, folder->sources[i]->path, a);
        }
    }
    if (operations == 0)
        die("%s: no file has a \"-- keys:\" line", folder->name);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: embed <lua folder> <out scripts.h> <out scripts.c>");
    struct folder folder = {.name = argv[1]};
    read_folder(&folder, "");
    if (folder.count > 0)
        qsort(folder.sources, folder.count, sizeof(folder.sources[0]), by_path);
    check_names(&folder);
    write_table(&folder, argv[3]);
    write_header(&folder, argv[2]);
    for (size_t i = 0; i < folder.count; i++) {
        free(folder.sources[i]->path);
        free(folder.sources[i]->text);
        free(folder.sources[i]);
    }
    free(folder.sources);
    return 0;
}

/* wire: RESP for tests; see wire.h. */
#include "tests/lib/wire.h"
#include <check.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- text --------------------------------------------------------------------------- */

void text_add(struct text *text, const void *bytes, size_t len)
{
    if (text->len + len + 1 > text->room) {
        text->room = (text->len + len + 1) * 2;
        text->bytes = realloc(text->bytes, text->room);
        ck_assert_ptr_nonnull(text->bytes);
    }
    if (len > 0)
        memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void text_addf(struct text *text, const char *format, ...)
{
    char *line;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&line, format, args);
    va_end(args);
    ck_assert(len >= 0);
    text_add(text, line, (size_t)len);
    free(line);
}

void text_clear(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

/* --- requests ----------------------------------------------------------------------- */

void wire_add_request(struct text *out, int argc, const char *const *argv, const size_t *lens)
{
    text_addf(out, "*%d\r\n", argc);
    for (int i = 0; i < argc; i++) {
        size_t len = lens == NULL ? strlen(argv[i]) : lens[i];
        text_addf(out, "$%zu\r\n", len);
        text_add(out, argv[i], len);
        text_add(out, "\r\n", 2);
    }
}

/* One character of a quoted word; returns how many characters stood for it. */
static size_t unescape(const char *at, char *out)
{
    static const char letters[] = "nrt\"\\", values[] = "\n\r\t\"\\";
    const char *letter;
    if (at[0] != '\\') {
        *out = at[0];
        return 1;
    }
    if (at[1] == 'x' && isxdigit((unsigned char)at[2]) && isxdigit((unsigned char)at[3])) {
        char hex[3] = {at[2], at[3], '\0'};
        *out = (char)strtol(hex, NULL, 16);
        return 4;
    }
    letter = at[1] == '\0' ? NULL : strchr(letters, at[1]);
    ck_assert_msg(letter != NULL, "unknown escape: %s", at);
    *out = values[letter - letters];
    return 2;
}

/* The next word of *at; false at the end. */
static bool next_word(const char **at, struct text *word)
{
    while (**at == ' ')
        (*at)++;
    word->len = 0;
    text_add(word, "", 0);
    if (**at == '\0')
        return false;
    if (**at != '"') {
        size_t len = strcspn(*at, " ");
        text_add(word, *at, len);
        *at += len;
        return true;
    }
    for ((*at)++; **at != '"';) {
        char c;
        ck_assert_msg(**at != '\0', "a quote is not closed");
        *at += unescape(*at, &c);
        text_add(word, &c, 1);
    }
    (*at)++;
    return true;
}

void wire_add_words(struct text *out, const char *words)
{
    struct text word = {0}, body = {0};
    int count = 0;
    while (next_word(&words, &word)) {
        text_addf(&body, "$%zu\r\n", word.len);
        text_add(&body, word.bytes, word.len);
        text_add(&body, "\r\n", 2);
        count++;
    }
    text_addf(out, "*%d\r\n", count);
    text_add(out, body.bytes, body.len);
    text_clear(&word);
    text_clear(&body);
}

/* --- sizes -------------------------------------------------------------------------- */

/* Bytes of the line at the head with its end; 0 when it is not whole. */
static size_t line_size(const char *bytes, size_t len)
{
    const char *end = memchr(bytes, '\n', len);
    return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

/* How many elements follow the line of an aggregate. */
static long elements_of(char type, long n)
{
    if (n < 0)
        return 0;
    return type == '%' || type == '|' ? n * 2 : n;
}

/* Goes on over nested elements without recursion: `left` counts what is still to come. */
size_t wire_reply_size(const char *bytes, size_t len)
{
    size_t at = 0;
    for (long left = 1; left > 0; left--) {
        size_t line = at < len ? line_size(bytes + at, len - at) : 0;
        if (line == 0)
            return 0;
        char type = bytes[at];
        long n = strtol(bytes + at + 1, NULL, 10);
        ck_assert_msg(strchr("+-:$*_#,(!=%~>|", type) != NULL, "no RESP: %.40s", bytes + at);
        ck_assert_msg(line >= 3 && bytes[at + line - 2] == '\r', "no CRLF: %.40s", bytes + at);
        at += line;
        if (strchr("$!=", type) != NULL && n >= 0)
            at += (size_t)n + 2;
        else if (strchr("*%~>|", type) != NULL)
            left += elements_of(type, n);
        if (type == '|')
            left++; /* what the attribute is about */
        if (at > len)
            return 0;
    }
    return at;
}

size_t wire_request_size(const char *bytes, size_t len)
{
    return wire_reply_size(bytes, len);
}

/* --- showing ------------------------------------------------------------------------ */

static void show_string(struct text *out, const char *bytes, size_t len)
{
    static const char plain[] = "\n\r\t\a\b\\\"", letters[] = "nrtab\\\"";
    text_add(out, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        const char *special = bytes[i] == '\0' ? NULL : strchr(plain, bytes[i]);
        if (special != NULL)
            text_addf(out, "\\%c", letters[special - plain]);
        else if (isprint((unsigned char)bytes[i]))
            text_add(out, bytes + i, 1);
        else
            text_addf(out, "\\x%02x", (unsigned char)bytes[i]);
    }
    text_add(out, "\"", 1);
}

static const char *show(struct text *out, const char *at, int indent);

static const char *show_elements(struct text *out, const char *at, char type, long n, int indent)
{
    char sign = type == '%' ? '#' : type == '~' ? '~' : ')';
    int digits = snprintf(NULL, 0, "%ld", n);
    if (n == 0) {
        text_addf(out, "(empty %s)", type == '%' ? "hash" : type == '~' ? "set" : "array");
        return at;
    }
    for (long i = 1; i <= n; i++) {
        text_addf(out, "%s%*s%*ld%c ", i == 1 ? "" : "\n", i == 1 ? 0 : indent, "", digits, i,
                  sign);
        at = show(out, at, indent + digits + 2);
        if (type == '%') {
            text_addf(out, " => ");
            at = show(out, at, indent + digits + 2);
        }
    }
    return at;
}

static const char *show_line(struct text *out, char type, const char *at, size_t len)
{
    const char *before = type == '-'   ? "(error) "
                         : type == ':' ? "(integer) "
                         : type == ',' ? "(double) "
                         : type == '(' ? "(big) "
                                       : "";
    if (type == '_')
        text_addf(out, "(nil)");
    else if (type == '#')
        text_addf(out, at[0] == 't' ? "(true)" : "(false)");
    else
        text_add(out, before, strlen(before));
    if (type != '_' && type != '#')
        text_add(out, at, len);
    return at + len + 2;
}

/* Returns what follows the element. */
static const char *show(struct text *out, const char *at, int indent)
{
    char type = *at++;
    size_t len = (size_t)(strchr(at, '\r') - at);
    long n = strtol(at, NULL, 10);
    if (strchr("$!=*%~>", type) == NULL)
        return show_line(out, type, at, len);
    at += len + 2;
    if (n < 0) {
        text_addf(out, "(nil)");
        return at;
    }
    if (type == '$' || type == '=' || type == '!') {
        size_t skipped = type == '=' ? 4 : 0; /* "txt:" */
        if (type == '!') {
            text_addf(out, "(error) ");
            text_add(out, at, (size_t)n);
        } else {
            show_string(out, at + skipped, (size_t)n - skipped);
        }
        return at + n + 2;
    }
    if (type == '>')
        text_addf(out, "> ");
    return show_elements(out, at, type, n, indent);
}

void wire_show(struct text *out, const char *bytes)
{
    show(out, bytes, 0);
}

/* err: the table of error words, and texts that gain context. See err.h. */
#include "base/err.h"
#include <stdarg.h>
#include <stdio.h>

static const char *const words[ERR_KINDS] = {
    [ERR_NONE] = "OK",
    [ERR_GENERAL] = "ERR",
    [ERR_NOAUTH] = "NOAUTH",
    [ERR_WRONGPASS] = "WRONGPASS",
    [ERR_NOPERM] = "NOPERM",
    [ERR_NOPROTO] = "NOPROTO",
    [ERR_NOTOWNER] = "NOTOWNER",
    [ERR_UPSTREAM] = "UPSTREAM",
    [ERR_TIMEOUT] = "TIMEOUT",
    [ERR_BUSY] = "BUSY",
    [ERR_WRONGTYPE] = "WRONGTYPE",
    [ERR_LOST] = "LOST",
    [ERR_DEADLOCK] = "DEADLOCK",
    [ERR_TASKFAIL] = "TASKFAIL",
    [ERR_NOWORKER] = "NOWORKER",
    [ERR_QUOTA] = "QUOTA",
};

const char *err_word(enum err_kind kind)
{
    return kind < ERR_KINDS ? words[kind] : words[ERR_GENERAL];
}

enum err_kind err_kind_of(struct str line)
{
    struct str rest = line, word;

    if (!str_split(&rest, ' ', &word))
        return ERR_GENERAL;
    for (unsigned kind = ERR_GENERAL; kind < ERR_KINDS; kind++) {
        if (str_eq(word, str_of(words[kind])))
            return (enum err_kind)kind;
    }
    return ERR_GENERAL;
}

/* A line break in the text would end the reply that carries it. */
static void keep_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
    }
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return false;
    char text[sizeof(err->text)]; /* the arguments may point into err->text */
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    keep_one_line(text);
    err->kind = kind;
    memcpy(err->text, text, sizeof(text));
    return false;
}

bool err_wrap(struct err *err, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return false;
    char prefix[sizeof(err->text)], text[2 * sizeof(err->text) + 2];
    va_start(args, format);
    vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);
    snprintf(text, sizeof(text), "%s: %s", prefix, err->text);
    keep_one_line(text);
    text[sizeof(err->text) - 1] = '\0';
    memcpy(err->text, text, sizeof(err->text));
    return false;
}

/* err: kinds of errors with the word that stands before them on the wire, and their text.
 * What can fail returns a must-check bool and fills the `struct err *` given last.
 * Knows: str. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/str.h"

#define MUST_CHECK __attribute__((warn_unused_result))

enum err_kind {
    ERR_NONE,
    ERR_GENERAL,   /* ERR */
    ERR_NOAUTH,    /* NOAUTH */
    ERR_WRONGPASS, /* WRONGPASS */
    ERR_NOPERM,    /* NOPERM */
    ERR_NOPROTO,   /* NOPROTO */
    ERR_NOTOWNER,  /* NOTOWNER */
    ERR_UPSTREAM,  /* UPSTREAM */
    ERR_TIMEOUT,   /* TIMEOUT */
    ERR_BUSY,      /* BUSY */
    ERR_WRONGTYPE, /* WRONGTYPE */
    ERR_LOST,      /* LOST */
    ERR_DEADLOCK,  /* DEADLOCK */
    ERR_TASKFAIL,  /* TASKFAIL */
    ERR_NOWORKER,  /* NOWORKER */
    ERR_QUOTA,     /* QUOTA */
    ERR_KINDS
};

struct err {
    enum err_kind kind;
    char text[512]; /* without the word; printable, one line */
};

/* "ERR", "NOAUTH" ... */
const char *err_word(enum err_kind kind);
/* The kind whose word begins `line` ("NOTOWNER ..."), ERR_GENERAL when none does. */
enum err_kind err_kind_of(struct str line);

/* Sets the error and returns false, so that callers can `return err_set(...)`. A NULL err is
 * allowed. Bytes of users in the arguments are made printable by the caller (str_printable). */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text: context gained on the way up. Returns false. */
bool err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

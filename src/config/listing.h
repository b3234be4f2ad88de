/* listing: one place where the resources of a pool are listed, as text: file:/PATH, http://...,
 * https://..., exec:PROGRAM ARGUMENTS, dns:NAME[:PORT].
 * Knows: base/.  Must not know: how it is read. */
#ifndef CONFIG_LISTING_H
#define CONFIG_LISTING_H

#include "base/err.h"
#include <stdint.h>

enum listing_kind { LISTING_FILE, LISTING_HTTP, LISTING_EXEC, LISTING_DNS };

struct listing {
    enum listing_kind kind;
    struct str what; /* path, whole url, command, name; within the text that was parsed */
    int port;        /* of dns; 0: none */
};

/* "file" "http" "exec" "dns" */
const char *listing_kind_name(enum listing_kind kind);

/* Error texts never show what could be a part of a password. */
MUST_CHECK bool listing_parse(struct str text, struct listing *out, struct err *err);

#endif

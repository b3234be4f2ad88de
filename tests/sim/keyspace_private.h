/* keyspace_private: what commands.c, lua.c and keyspace.c share. */
#ifndef SIM_KEYSPACE_PRIVATE_H
#define SIM_KEYSPACE_PRIVATE_H

#include "tests/sim/keyspace.h"
#include "tests/sim/store.h"
#include <lua.h>

/* Memory of one call's replies: taken piece by piece, dropped as a whole. */
struct arena_block;
struct arena {
    struct arena_block *blocks;
};

struct keyspace {
    struct dict keys; /* struct value */
    int64_t wall_us;
    struct arena arena;
    lua_State *lua;
    int functions[SCRIPT_COUNT]; /* references; 0: not loaded yet */
    /* the keys that the running script was given; NULL: no script runs, all is allowed */
    const struct str *given;
    int given_count;
    const char *script_name;
    keyspace_heard heard; /* NULL: nobody hears */
    keyspace_ears ears;
    void *heard_arg;
};

void *arena_take(struct arena *arena, size_t size);
void arena_clear(struct arena *arena);

/* Replies in the arena. */
redisReply *make_int(struct keyspace *ks, long long n);
redisReply *make_bulk(struct keyspace *ks, struct str text); /* copied */
redisReply *make_status(struct keyspace *ks, struct str text);
redisReply *make_error(struct keyspace *ks, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
redisReply *make_nil(struct keyspace *ks);
redisReply *make_array(struct keyspace *ks, size_t count); /* elements NULL yet */

/* Runs a command; its reply is in the arena. */
redisReply *run_command(struct keyspace *ks, const struct str *args, int count);

/* --- for the files of commands --- */

struct row {
    const char *name;
    int min_args;            /* with the name */
    int first_key, last_key; /* last_key < 0: counted from the end; 0, 0: none */
    redisReply *(*run)(struct keyspace *ks, const struct str *args, int count);
};
extern const struct row zset_rows[];

#define WRONG_TYPE "WRONGTYPE Operation against a key holding the wrong kind of value"

int64_t keyspace_now_ms(const struct keyspace *ks);
/* The value of a key that has not expired; NULL: none. `*error` is set when it has another type. */
struct value *value_get(struct keyspace *ks, struct str key, enum value_type type,
                        redisReply **error);
/* The same, made when there is none. NULL only with an error. */
struct value *value_need(struct keyspace *ks, struct str key, enum value_type type,
                         redisReply **error);
void value_drop(struct keyspace *ks, struct str key);
bool parse_score(struct str text, double *out);
redisReply *make_score(struct keyspace *ks, double score);
/* The page of a scan that starts at `cursor`: a range of places, and the next cursor. */
bool scan_page(struct keyspace *ks, const struct dict *dict, struct str cursor, int64_t count,
               size_t *from, size_t *to, redisReply **next);
/* COUNT n among the args from `at`; other words are left to the caller. */
int64_t scan_count(const struct str *args, int count, int at);

void lua_host_open(struct keyspace *ks);
void lua_host_close(struct keyspace *ks);
/* NULL id: the text is loaded for this call. */
redisReply *lua_host_run(struct keyspace *ks, enum script_id id, struct str text,
                         const struct str *keys, int key_count, const struct str *args,
                         int arg_count);

#endif

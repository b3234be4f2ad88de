/* request_story: what the parser says about a stream of bytes, as text, so that ways of cutting the
 * stream can be compared. For the fuzzer and the unit tests.
 * Knows: resp/request. */
#ifndef TESTS_REQUEST_STORY_H
#define TESTS_REQUEST_STORY_H

#include "base/mem.h"
#include "resp/request.h"
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>

/* Small, so that input of a few hundred bytes reaches them. */
static const struct request_limits fuzz_limits = {
    .max_bytes = 1024, .max_args = 32, .max_inline = 128};

/* How a stream of bytes comes to the parser. */
struct cut {
    size_t first;        /* bytes of the first piece; 0: as `step` */
    size_t step;         /* bytes of the others */
    bool is_parsed_late; /* pieces pile up in chains of their own before the parser is called */
};

static inline void tell_request(struct evbuffer *story, const struct request *request)
{
    evbuffer_add_printf(story, "%d words in %zu bytes:", request->argc, request->size);
    for (int i = 0; i < request->argc; i++) {
        evbuffer_add_printf(story, " %zu:", request->argv[i].len);
        evbuffer_add(story, request->argv[i].ptr, request->argv[i].len);
    }
    evbuffer_add_printf(story, "\n");
}

/* Tells what the parser says until it wants more or gives up. False: the stream is broken. */
static inline bool tell_all(struct evbuffer *story, struct request *request, struct evbuffer *in,
                            const struct request_limits *limits)
{
    for (;;) {
        struct err err = {ERR_NONE, ""};
        switch (request_parse(request, in, limits, &err)) {
        case REQUEST_PARTIAL:
            return true;
        case REQUEST_BROKEN:
            evbuffer_add_printf(story, "broken: %s\n", err.text);
            return false;
        case REQUEST_READY:
            if (request->argc > limits->max_args || request->size > limits->max_bytes)
                abort();
            tell_request(story, request);
            request_consume(request, in);
        }
    }
}

static inline void free_piece(const void *piece, size_t len, void *arg)
{
    (void)len, (void)arg;
    mem_free((void *)(uintptr_t)piece);
}

/* Each piece is a block of its own: reading past it, or writing to what was freed, is seen. */
static inline void add_piece(struct evbuffer *in, const char *bytes, size_t len)
{
    char *piece = mem_alloc(len);
    memcpy(piece, bytes, len);
    evbuffer_add_reference(in, piece, len, free_piece, NULL);
}

/* The story of a stream of bytes, as a text that the caller frees. */
static inline char *tell(struct str bytes, struct cut cut, const struct request_limits *limits)
{
    struct evbuffer *in = evbuffer_new(), *story = evbuffer_new();
    struct request request;
    request_init(&request);
    size_t step = cut.first > 0 ? cut.first : cut.step;
    for (size_t at = 0; at < bytes.len; at += step, step = cut.step) {
        if (step > bytes.len - at)
            step = bytes.len - at;
        add_piece(in, bytes.ptr + at, step);
        if (cut.is_parsed_late && at + step < bytes.len)
            continue;
        if (!tell_all(story, &request, in, limits))
            break;
        if (evbuffer_get_length(in) > 0)
            abort(); /* what is left was neither taken nor refused */
    }
    evbuffer_add(story, "", 1);
    char *text = mem_alloc(evbuffer_get_length(story));
    evbuffer_remove(story, text, evbuffer_get_length(story));
    request_clear(&request);
    evbuffer_free(in);
    evbuffer_free(story);
    return text;
}

/* True when all these ways to cut the bytes tell one story. */
static inline bool tells_one_story(struct str bytes, const struct request_limits *limits,
                                   size_t some_step)
{
    const struct cut cuts[] = {
        {.step = 1},
        {.step = 1, .is_parsed_late = true},
        {.step = some_step},
        {.step = some_step, .is_parsed_late = true},
        {.first = some_step, .step = bytes.len},
        {.first = some_step, .step = bytes.len, .is_parsed_late = true},
    };
    char *whole = tell(bytes, (struct cut){.step = bytes.len}, limits);
    bool is_one = true;
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]) && is_one; i++) {
        char *story = tell(bytes, cuts[i], limits);
        is_one = strcmp(whole, story) == 0;
        if (!is_one)
            fprintf(stderr, "at once:\n%s\ncut (way %zu, %zu bytes):\n%s\n", whole, i, some_step,
                    story);
        mem_free(story);
    }
    mem_free(whole);
    return is_one;
}

/* What the fuzzer does with its input: the first byte says how to cut the others. */
static inline bool input_tells_one_story(const uint8_t *data, size_t size)
{
    if (size < 2)
        return true;
    struct str bytes = str_make((const char *)data + 1, size - 1);
    return tells_one_story(bytes, &fuzz_limits, data[0] == 0 ? 1 : data[0]);
}

#endif

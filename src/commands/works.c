/* works: see works.h. */
#include "commands/works.h"
#include "base/mem.h"
#include "commands/outcome.h"
#include "daemon.h"
#include "task/payload.h"
#include "task/workers.h"
#include <stdio.h>

enum { MOST_PUSHED = 10000 }; /* of one connection */

void works_put_payload(struct reply *reply, const struct answer *packed)
{
    struct payload payload;
    payload_unpack(&payload, answer_str(packed));
    reply_bulk(reply, payload.text);
    payload_clear(&payload);
}

void works_end_query(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;
    if (outcome_failed(later, err))
        return;
    works_put_payload(later_reply(later), answer);
    later_end(later);
}

/* A task that somebody is told of by pushes. */
struct pushed {
    struct list_node node; /* in the connection's list */
    struct list *list;
    struct peer *peer;
    struct later *later; /* until OK is answered */
    struct asker *asker;
    struct str id;
    char bytes[];
};

static struct reply *begin(struct pushed *pushed, const char *kind, size_t more)
{
    struct reply *push = peer_begin_push(pushed->peer);
    reply_push(push, 2 + more);
    reply_text(push, kind);
    reply_bulk(push, pushed->id);
    return push;
}

static void on_accepted(void *arg)
{
    struct pushed *pushed = arg;
    struct later *later = pushed->later;
    pushed->later = NULL;
    reply_ok(later_reply(later));
    later_end(later);
}

static void on_progress(void *arg, int64_t current, int64_t total)
{
    struct pushed *pushed = arg;
    struct reply *push = begin(pushed, "progress", 2);
    reply_int(push, current);
    reply_int(push, total);
    peer_end_push(pushed->peer);
}

static void tell_end(struct pushed *pushed, const struct err *err, const struct answer *answer)
{
    struct reply *push = begin(pushed, err == NULL ? "result" : "failed", 1);
    if (err == NULL) {
        works_put_payload(push, answer);
    } else {
        char text[sizeof err->text + 32];
        snprintf(text, sizeof text, "%s %s", err_word(err->kind), err->text);
        reply_text(push, text);
    }
    peer_end_push(pushed->peer);
}

static void on_end(void *arg, const struct err *err, const struct answer *answer)
{
    struct pushed *pushed = arg;
    if (pushed->later != NULL)
        later_fail(pushed->later, err);
    else
        tell_end(pushed, err, answer);
    list_remove(pushed->list, &pushed->node);
    mem_free(pushed);
}

static bool check_push(struct ask *ask, const struct peer_state *state)
{
    if (ask->options.given & OPT_NOWAIT)
        ask_error(ask, ERR_GENERAL, "syntax error: PUSH does not go with NOWAIT");
    else if (state->protocol < 3)
        ask_error(ask, ERR_GENERAL, "PUSH wants RESP3: say HELLO 3 first");
    else if (state->pushed != NULL && state->pushed->count >= MOST_PUSHED)
        ask_error(ask, ERR_BUSY, "this connection is told of %d tasks already", MOST_PUSHED);
    return !ask->has_failed;
}

void works_push(struct ask *ask, struct task_request *request)
{
    struct peer_state *state = peer_state(ask->peer);
    if (!check_push(ask, state))
        return;
    if (state->pushed == NULL) {
        state->pushed = mem_zalloc(sizeof *state->pushed);
        list_init(state->pushed);
    }
    struct pushed *pushed = mem_zalloc(sizeof *pushed + request->id.len);
    memcpy(pushed->bytes, request->id.ptr, request->id.len);
    pushed->id = str_make(pushed->bytes, request->id.len);
    pushed->list = state->pushed;
    pushed->peer = ask->peer;
    pushed->later = later_new(ask, NULL);
    list_push(pushed->list, &pushed->node);
    request->accepted = on_accepted;
    request->progress = on_progress;
    pushed->asker = tasks_submit(&ask->daemon->tasks, request, on_end, pushed);
}

static void end_pushed(struct peer_state *state)
{
    struct list_node *node;
    while (state->pushed != NULL && (node = list_first(state->pushed)) != NULL)
        asker_gone(list_entry(node, struct pushed, node)->asker);
    mem_free(state->pushed);
    state->pushed = NULL;
}

void works_end(struct peer_state *state)
{
    struct worker *worker = state->worker;
    state->worker = NULL;
    worker_close(worker);
    end_pushed(state);
}

/* keys: see keys.h. */
#include "task/keys.h"

enum holder { OF_TASK, OF_PLACE, OF_QUEUE, OF_DAEMON, OF_CRON, OF_ALL };

static const struct str base = {"|task-queue", 11};

static const struct row {
    const char *name;
    enum holder holder; /* whose name stands behind */
    struct str middle;  /* behind the base */
} rows[] = {
    [TASK_KEY_TASK] = {"task", OF_TASK, {"|task-result:", 13}},
    [TASK_KEY_LIST] = {"list", OF_PLACE, {"|task-queue|", 12}},
    [TASK_KEY_RANKED] = {"ranked", OF_PLACE, {"|ranked|", 8}},
    [TASK_KEY_META] = {"meta", OF_QUEUE, {"|queue|", 7}},
    [TASK_KEY_DELAYED] = {"delayed", OF_QUEUE, {"|delayed|", 9}},
    [TASK_KEY_DEAD] = {"dead", OF_QUEUE, {"|dead|", 6}},
    [TASK_KEY_WAITING] = {"waiting", OF_QUEUE, {"|waiting|", 9}},
    [TASK_KEY_LISTEN] = {"listen", OF_QUEUE, {"|task-listen|", 13}},
    [TASK_KEY_QUEUES] = {"queues", OF_ALL, {"|queues", 7}},
    [TASK_KEY_DUE] = {"due", OF_ALL, {"|due", 4}},
    [TASK_KEY_DAEMONS] = {"daemons", OF_ALL, {"|daemons", 8}},
    [TASK_KEY_HELD] = {"held", OF_DAEMON, {"|held:", 6}},
    [TASK_KEY_JOURNAL] = {"journal", OF_ALL, {"|journal", 8}},
    [TASK_KEY_LEADER] = {"leader", OF_ALL, {"|leader", 7}},
    [TASK_KEY_AWAKE] = {"awake", OF_ALL, {"|awake", 6}},
    [TASK_KEY_CRONS] = {"crons", OF_ALL, {"|crons", 6}},
    [TASK_KEY_CRON] = {"cron", OF_CRON, {"|cron|", 6}},
    [TASK_KEY_CHANNEL] = {"channel", OF_DAEMON, {"|channel:", 9}},
    [TASK_KEY_ALL] = {"all", OF_ALL, {"|channel", 8}},
};

/* What stands behind the middle: one or two texts, and what is between them. */
struct tail {
    struct str first, between, second;
};

static struct tail tail_of(const struct row *row, const struct task_name *name)
{
    static const struct str none = {"", 0};
    struct tail tail = {none, none, none};
    if (row->holder == OF_TASK)
        tail.first = name->id;
    else if (row->holder == OF_DAEMON)
        tail.first = name->daemon;
    else if (row->holder != OF_ALL)
        tail.first = name->queue;
    if (row->holder == OF_CRON) {
        tail.between = STR(" ");
        tail.second = name->id;
    }
    if (row->holder == OF_PLACE && name->daemon.len > 0) {
        tail.between = STR("@");
        tail.second = name->daemon;
    }
    return tail;
}

size_t task_key_len(enum task_key which, struct str prefix, const struct task_name *name)
{
    const struct row *row = &rows[which];
    struct tail tail = tail_of(row, name);
    return prefix.len + base.len + row->middle.len + tail.first.len + tail.between.len +
           tail.second.len;
}

void task_key_write(enum task_key which, struct str prefix, const struct task_name *name, char *out)
{
    const struct row *row = &rows[which];
    struct tail tail = tail_of(row, name);
    const struct str texts[] = {prefix, base, row->middle, tail.first, tail.between, tail.second};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        str_put(&out, texts[i]);
}

bool task_key_called(const char *name, enum task_key *out)
{
    for (unsigned i = 0; i < TASK_KEYS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *out = (enum task_key)i;
            return true;
        }
    }
    return false;
}

bool task_key_is_of_lane(enum task_key which)
{
    return rows[which].holder == OF_ALL || which == TASK_KEY_HELD;
}

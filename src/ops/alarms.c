/* alarms: see alarms.h. */
#include "ops/alarms.h"
#include "base/mem.h"

static void put(struct alarms *alarms, size_t place, struct alarm *alarm)
{
    alarms->heap[place] = alarm;
    alarm->place = place;
}

static void move_up(struct alarms *alarms, size_t place)
{
    struct alarm *alarm = alarms->heap[place];
    for (; place > 1 && alarms->heap[place / 2]->at_ms > alarm->at_ms; place /= 2)
        put(alarms, place, alarms->heap[place / 2]);
    put(alarms, place, alarm);
}

static void move_down(struct alarms *alarms, size_t place)
{
    struct alarm *alarm = alarms->heap[place];
    for (size_t child = 2 * place; child <= alarms->count; place = child, child *= 2) {
        if (child < alarms->count && alarms->heap[child + 1]->at_ms < alarms->heap[child]->at_ms)
            child++;
        if (alarms->heap[child]->at_ms >= alarm->at_ms)
            break;
        put(alarms, place, alarms->heap[child]);
    }
    put(alarms, place, alarm);
}

static void schedule(struct alarms *alarms)
{
    if (alarms->count > 0 && alarms->schedule != NULL)
        alarms->schedule(alarms->arg, alarms->heap[1]->at_ms);
}

void alarms_clear(struct alarms *alarms)
{
    mem_free(alarms->heap);
    *alarms = (struct alarms){0};
}

void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at_ms)
{
    alarm_stop(alarms, alarm);
    alarm->at_ms = at_ms;
    if (alarms->count + 1 >= alarms->room) {
        alarms->room = 2 * alarms->room + 64;
        alarms->heap = mem_realloc(alarms->heap, alarms->room * sizeof(struct alarm *));
    }
    put(alarms, ++alarms->count, alarm);
    move_up(alarms, alarm->place);
    if (alarm->place == 1)
        schedule(alarms);
}

void alarm_stop(struct alarms *alarms, struct alarm *alarm)
{
    size_t place = alarm->place;
    if (place == 0)
        return;
    struct alarm *last = alarms->heap[alarms->count--];
    alarm->place = 0;
    if (last == alarm)
        return;
    put(alarms, place, last);
    move_up(alarms, place);
    move_down(alarms, last->place);
}

void alarms_ring(struct alarms *alarms, int64_t now_ms)
{
    for (size_t left = alarms->count; left > 0 && alarms->count > 0; left--) {
        struct alarm *first = alarms->heap[1];
        if (first->at_ms > now_ms)
            break;
        alarm_stop(alarms, first);
        first->ring(first);
    }
    schedule(alarms);
}

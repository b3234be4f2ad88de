/* alarms: what is to happen at an instant of the monotonic clock, as a heap: of a hundred thousand
 * the earliest is at hand.
 * Knows: base/.  Must not know: what rings. */
#ifndef OPS_ALARMS_H
#define OPS_ALARMS_H

#include <stddef.h>
#include <stdint.h>

/* Embedded in whose it is. */
struct alarm {
    int64_t at_ms;
    size_t place; /* in the heap, from 1; 0: it is not set */
    void (*ring)(struct alarm *alarm);
};

struct alarms {
    struct alarm **heap; /* from 1 */
    size_t count, room;
    /* Optional: alarms_ring() should be called at this time or soon after. */
    void (*schedule)(void *arg, int64_t at_ms);
    void *arg;
};

void alarms_clear(struct alarms *alarms);
/* One that is set already gets the new time. */
void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at_ms);
void alarm_stop(struct alarms *alarms, struct alarm *alarm);
/* Rings those that are due, at most as many as are set now: each may set itself again. */
void alarms_ring(struct alarms *alarms, int64_t now_ms);

#endif

/* steps: see steps.h. */
#include "jobs/steps.h"
#include <inttypes.h>

enum {
    TOLERANCE_US = 200 * 1000, /* a smaller step is none: holders have margins of their own */
    DRIFT_PPM = 1000           /* what is corrected slowly (NTP: 500) is no step */
};
#define MOST_S INT64_C(100000000000) /* the year 5138: more is no time */

static void step_forward(struct steps *steps, int64_t step_us)
{
    int64_t step_ms = (step_us + 999) / 1000;
    int64_t ms = step_ms < steps->grace_max_ms ? step_ms : steps->grace_max_ms;
    steps->forward++;
    log_text(steps->batches->log, LOG_LEVEL_ERROR, "redis-clock-stepped",
             "Redis' clock went forward by %" PRId64 " ms: what is held ends sooner by as much; "
             "nothing is granted for %" PRId64 " ms",
             step_ms, ms);
    batches_hold_grants(steps->batches, ms, "Redis' clock went forward");
}

static void step_back(struct steps *steps, int64_t step_us)
{
    steps->back++;
    log_text(steps->batches->log, LOG_LEVEL_WARNING, "redis-clock-stepped",
             "Redis' clock went back by %" PRId64 " ms: what is held lasts longer by as much",
             step_us / 1000);
}

/* What is known now is what both looks allow; after a step only the new one. */
static void look(struct steps *steps, int64_t redis_us, int64_t now_us)
{
    int64_t low_us = redis_us - now_us, high_us = redis_us - steps->asked_us;
    int64_t drift_us = (now_us - steps->looked_us) * DRIFT_PPM / 1000000;
    int64_t was_low_us = steps->low_us - drift_us, was_high_us = steps->high_us + drift_us;
    bool is_known = steps->is_known;
    steps->is_known = true;
    steps->looked_us = now_us;
    steps->low_us = low_us;
    steps->high_us = high_us;
    if (!is_known)
        return;
    if (low_us > was_high_us + TOLERANCE_US)
        step_forward(steps, high_us - was_low_us);
    else if (high_us < was_low_us - TOLERANCE_US)
        step_back(steps, was_high_us - low_us);
    else if (was_low_us <= high_us && low_us <= was_high_us) {
        steps->low_us = low_us > was_low_us ? low_us : was_low_us;
        steps->high_us = high_us < was_high_us ? high_us : was_high_us;
    }
}

static void end_time(void *arg, enum call_fate fate, const struct answer *answer)
{
    struct steps *steps = arg;
    int64_t s = answer_int(answer_at(answer, 0), 0), us = answer_int(answer_at(answer, 1), 0);
    bool is_time = s > 0 && s < MOST_S && us >= 0 && us < 1000000;
    steps->is_asking = false;
    if (fate == CALL_ANSWERED && is_time)
        look(steps, s * 1000000 + us, clock_us(steps->batches->clock));
}

static void ask_time(struct steps *steps)
{
    static const struct str time[] = {{"TIME", 4}};
    struct call call = {.script = SCRIPT_NONE,
                        .args = time,
                        .arg_count = 1,
                        .weight = 1,
                        .done = end_time,
                        .arg = steps};
    steps->asked_us = clock_us(steps->batches->clock);
    steps->is_asking = upstream_call(steps->batches->upstream, &call);
}

void steps_init(struct steps *steps, struct batches *batches)
{
    *steps = (struct steps){.batches = batches};
}

void steps_tick(struct steps *steps)
{
    if (!steps->is_asking)
        ask_time(steps);
}

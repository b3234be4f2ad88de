/* schedule: see schedule.h. */
#include "task/schedule.h"
#include "base/num.h"
#include <time.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_S     86400
/* 29 February of one weekday alone cannot be asked for, so that it comes within this time: 1900 and
 * its like are no leap years. */
#define LOOK_DAYS    (9 * 366)
#define LEAST_EVERY  INT64_C(1000)
#define MOST_EVERY   (INT64_C(366) * DAY_S * 1000)
#define FIELDS       5
#define MOST_SECONDS INT64_C(100000000000) /* year 5138 */

static const struct field {
    const char *name;
    int min, max;
} fields[FIELDS] = {
    {"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 7}};

static const struct word {
    const char *word, *means;
} words[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
             {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
             {"@annually", "0 0 1 1 *"}};

static bool refuse(const struct field *field, struct str text, struct err *err)
{
    char shown[60];
    str_printable(text, shown, sizeof shown);
    return err_set(err, ERR_GENERAL,
                   "schedule: the %s is no *, number, range or list of them from %d to %d: '%s'",
                   field->name, field->min, field->max, shown);
}

static bool parse_number(const struct field *field, struct str text, int *out)
{
    int64_t n;
    if (!num_parse_int(text, &n) || n < field->min || n > field->max)
        return false;
    *out = (int)n;
    return true;
}

/* "*", "7", "1-5", each perhaps with "/2" behind it; a number with a step goes on to the end. */
static bool parse_part(const struct field *field, struct str part, uint64_t *set)
{
    struct str range, first;
    int64_t step = 1;
    int from = field->min, to = field->max;
    if (!str_split(&part, '/', &range))
        return false;
    bool has_step = part.ptr != NULL;
    if (has_step && (!num_parse_int(part, &step) || step < 1 || step > field->max))
        return false;
    if (!str_eq(range, STR("*"))) {
        if (!str_split(&range, '-', &first) || !parse_number(field, first, &from))
            return false;
        if (range.ptr != NULL) {
            if (!parse_number(field, range, &to) || to < from)
                return false;
        } else if (!has_step) {
            to = from;
        }
    }
    for (int64_t n = from; n <= to; n += step)
        *set |= UINT64_C(1) << n;
    return true;
}

static bool parse_field(const struct field *field, struct str text, uint64_t *set, struct err *err)
{
    struct str rest = text, part;
    *set = 0;
    while (str_split(&rest, ',', &part)) {
        if (!parse_part(field, part, set))
            return refuse(field, text, err);
    }
    return *set != 0 || refuse(field, text, err);
}

static bool parse_fields(struct str text, struct schedule *out, struct err *err)
{
    struct str part[FIELDS];
    uint64_t sets[FIELDS];
    struct str rest = text, word;
    int count = 0;
    while (str_split(&rest, ' ', &word)) {
        if (word.len == 0)
            continue;
        if (count == FIELDS)
            count++; /* too many */
        else if (count < FIELDS)
            part[count++] = word;
    }
    if (count != FIELDS) {
        char shown[60];
        str_printable(text, shown, sizeof shown);
        return err_set(err, ERR_GENERAL,
                       "schedule: neither 'minute hour day month weekday', @hourly, @daily, "
                       "@weekly, @monthly, @yearly nor '@every seconds': '%s'",
                       shown);
    }
    for (int i = 0; i < FIELDS; i++) {
        if (!parse_field(&fields[i], part[i], &sets[i], err))
            return false;
    }
    *out = (struct schedule){.minutes = sets[0],
                             .hours = (uint32_t)sets[1],
                             .days = (uint32_t)sets[2],
                             .months = (uint32_t)sets[3],
                             .weekdays = (uint32_t)sets[4],
                             .has_any_day = str_eq(part[2], STR("*")),
                             .has_any_weekday = str_eq(part[4], STR("*"))};
    if (out->weekdays & UINT32_C(1) << 7) /* Sunday is 0 and 7 */
        out->weekdays |= 1;
    return true;
}

bool schedule_parse(struct str text, struct schedule *out, struct err *err)
{
    struct str rest = str_trim(text), word;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_eq_nocase(rest, str_of(words[i].word)))
            return parse_fields(str_of(words[i].means), out, err);
    }
    struct str behind = rest;
    if (!str_split(&behind, ' ', &word) || !str_eq_nocase(word, STR("@every")))
        return parse_fields(rest, out, err);
    *out = (struct schedule){0};
    if (behind.ptr == NULL || !num_parse_seconds(str_trim(behind), &out->every_ms) ||
        out->every_ms < LEAST_EVERY || out->every_ms > MOST_EVERY)
        return err_set(err, ERR_GENERAL,
                       "schedule: @every wants a number of seconds from %lld to %lld",
                       (long long)LEAST_EVERY / 1000, (long long)MOST_EVERY / 1000);
    return true;
}

static bool is_day(const struct schedule *schedule, const struct tm *day)
{
    bool by_day = schedule->days >> day->tm_mday & 1;
    bool by_weekday = schedule->weekdays >> day->tm_wday & 1;
    if (!(schedule->months >> (day->tm_mon + 1) & 1))
        return false;
    if (schedule->has_any_day || schedule->has_any_weekday)
        return by_day && by_weekday;
    return by_day || by_weekday; /* as cron has it: one of them is enough */
}

/* The first of its minutes on a day, from this one on; -1: none. */
static int first_minute(const struct schedule *schedule, int from)
{
    for (int minute = from; minute < 24 * 60; minute++) {
        if ((schedule->hours >> minute / 60 & 1) && (schedule->minutes >> minute % 60 & 1))
            return minute;
    }
    return -1;
}

int64_t schedule_next(const struct schedule *schedule, int64_t after_ms)
{
    if (schedule->every_ms > 0)
        return (after_ms / schedule->every_ms + 1) * schedule->every_ms;
    int64_t minute_s = (after_ms / MINUTE_MS + 1) * 60;
    if (minute_s > MOST_SECONDS)
        return -1;
    int64_t day_s = minute_s - minute_s % DAY_S;
    int from = (int)(minute_s % DAY_S / 60);
    for (int i = 0; i < LOOK_DAYS; i++, day_s += DAY_S, from = 0) {
        time_t t = (time_t)day_s;
        struct tm day;
        if (gmtime_r(&t, &day) == NULL || !is_day(schedule, &day))
            continue;
        int minute = first_minute(schedule, from);
        if (minute >= 0)
            return (day_s + minute * INT64_C(60)) * 1000;
    }
    return -1;
}

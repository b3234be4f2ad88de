/* num: text to numbers and back. See num.h. */
#include "base/num.h"
#include <math.h>
#include <stdlib.h>

/* Milliseconds in 100 years of 365.25 days. */
#define MAX_TIME_MS INT64_C(3155760000000)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Adds the decimal digits of s to *value; false when one is no digit or the sum exceeds max. */
static bool add_digits(struct str s, uint64_t max, uint64_t *value)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i]))
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (*value > (max - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

/* Takes a '-' off. */
static bool take_minus(struct str *s)
{
    if (s->len == 0 || s->ptr[0] != '-')
        return false;
    *s = str_make(s->ptr + 1, s->len - 1);
    return true;
}

bool num_parse_int(struct str s, int64_t *out)
{
    bool is_negative = take_minus(&s);
    uint64_t value = 0, max = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);

    if (s.len == 0 || !add_digits(s, max, &value))
        return false;
    /* -(value - 1) - 1, for the lowest number has no positive counterpart */
    *out = is_negative && value > 0 ? -(int64_t)(value - 1) - 1 : (int64_t)value;
    return true;
}

bool num_parse_seconds(struct str s, int64_t *out_ms)
{
    bool is_negative = take_minus(&s);
    struct str rest = s, whole, fraction;
    uint64_t ms = 0;

    if (!str_split(&rest, '.', &whole))
        return false;
    fraction = rest.ptr == NULL ? STR("") : rest;
    if (whole.len + fraction.len == 0 || !add_digits(whole, MAX_TIME_MS / 1000, &ms))
        return false;
    ms *= 1000;
    bool has_more = false;
    for (size_t i = 0, unit = 100; i < fraction.len; i++, unit /= 10) {
        if (!is_digit(fraction.ptr[i]))
            return false;
        ms += (uint64_t)(fraction.ptr[i] - '0') * unit;
        has_more = has_more || (unit == 0 && fraction.ptr[i] != '0');
    }
    if (has_more)
        ms++;
    if (ms > MAX_TIME_MS)
        return false;
    *out_ms = is_negative ? -(int64_t)ms : (int64_t)ms;
    return true;
}

bool num_parse_size(struct str s, int64_t *out)
{
    static const struct {
        struct str suffix;
        int64_t factor;
    } units[] = {
        {{"", 0}, 1},        {{"b", 1}, 1},        {{"k", 1}, 1000},       {{"kb", 2}, 1 << 10},
        {{"m", 1}, 1000000}, {{"mb", 2}, 1 << 20}, {{"g", 1}, 1000000000}, {{"gb", 2}, 1 << 30},
    };
    size_t digits = 0;
    uint64_t value = 0;

    while (digits < s.len && is_digit(s.ptr[digits]))
        digits++;
    if (digits == 0 || !add_digits(str_make(s.ptr, digits), INT64_MAX, &value))
        return false;
    struct str suffix = str_make(s.ptr + digits, s.len - digits);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!str_eq_nocase(suffix, units[i].suffix))
            continue;
        int64_t size;
        if (__builtin_mul_overflow((int64_t)value, units[i].factor, &size))
            return false;
        *out = size;
        return true;
    }
    return false;
}

static size_t skip_digits(struct str s, size_t *at)
{
    size_t from = *at;
    while (*at < s.len && is_digit(s.ptr[*at]))
        (*at)++;
    return *at - from;
}

/* -?digits[.digits][e[+-]digits]: strtod alone would take blanks, "nan", "0x1p3" too. */
static bool is_decimal(struct str s)
{
    size_t at = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    size_t digits = skip_digits(s, &at);
    if (at < s.len && s.ptr[at] == '.') {
        at++;
        digits += skip_digits(s, &at);
    }
    if (digits == 0)
        return false;
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+'))
            at++;
        if (skip_digits(s, &at) == 0)
            return false;
    }
    return at == s.len;
}

bool num_parse_double(struct str s, double *out)
{
    char text[512]; /* strtod wants a NUL; no useful number is longer */

    if (s.len >= sizeof(text) || !is_decimal(s))
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}

size_t num_format_int(char out[NUM_INT_MAX], int64_t n)
{
    char digits[NUM_INT_MAX];
    size_t count = 0, len = 0;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (n < 0)
        out[len++] = '-';
    while (count > 0)
        out[len++] = digits[--count];
    out[len] = '\0';
    return len;
}

int num_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool num_parse_rate(struct str s, int64_t *count, int64_t *span_us)
{
    static const struct {
        char letter;
        int64_t us;
    } units[] = {{'s', 1000000}, {'m', INT64_C(60000000)}, {'h', INT64_C(3600000000)}};
    struct str rest = s, head;
    str_split(&rest, '/', &head);
    if (!num_parse_int(head, count) || *count < 1 || *count > 1000000 || rest.len != 1)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        *span_us = units[i].us;
        if (rest.ptr[0] == units[i].letter)
            return true;
    }
    return false;
}

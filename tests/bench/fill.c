/* fill: see fill.h. */
#include "fill.h"
#include <err.h>

#define AT_ONCE 50000 /* resources of one call, which nobody else can pass */

/* KEYS: pool head tail.  ARGV: the first one to make, the last one, the last one of all */
static const char *const script =
    "local from, to, all = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])\n"
    "local function name(i) return i > 0 and i <= all and 'r' .. i or '' end\n"
    "for first = from, to, 1000 do\n"
    "  local entries = {}\n"
    "  for i = first, math.min(first + 999, to) do\n"
    "    entries[#entries + 1] = name(i)\n"
    "    entries[#entries + 1] = name(i - 1) .. '||' .. name(i + 1) .. '||-1'\n"
    "  end\n"
    "  redis.call('HSET', KEYS[1], unpack(entries))\n"
    "end\n"
    "redis.call('SET', KEYS[2], name(1))\n"
    "redis.call('SET', KEYS[3], name(all))\n"
    "return redis.call('HLEN', KEYS[1])\n";

void fill_pool(struct program *redis, const char *base, long long count)
{
    long long made = program_ask_number(redis, "HLEN %s|pool", base);
    if (made == count)
        return;
    for (long long from = 1; from <= count; from += AT_ONCE) {
        long long to = from + AT_ONCE - 1;
        made =
            program_ask_number(redis, "EVAL %s 3 %s|pool %s|pool|head %s|pool|tail %lld %lld %lld",
                               script, base, base, base, from, to < count ? to : count, count);
    }
    if (made != count)
        errx(1, "%s: a pool of %lld has %lld", base, count, made);
}

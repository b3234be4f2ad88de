-- probes: what the daemon that probes the pool has last said of how that goes; it does so every few
-- seconds. The journal's field `probes`: "<ms> <kind> <healthy> <ill> <unprobed> <ms of the last round, -1:
-- none yet> <held 1|0> <trouble>".
-- include: prelude.lua
local probes = { FRESH_MS = 30000 }

function probes.say(journal, summary)
    redis.call("HSET", journal, "probes", plain(clock()) .. " " .. summary)
end

-- kind ("none" when nobody probes), healthy, ill, unprobed, ms of the last round, held, trouble.
function probes.summary(journal)
    local at, kind, healthy, ill, unprobed, round_ms, held, trouble = string.match(
        redis.call("HGET", journal, "probes") or "",
        "^(%d+) (%l+) (%d+) (%d+) (%d+) (-?%d+) (%d) ?(.*)$")
    if not at or clock() - tonumber(at) >= probes.FRESH_MS then
        return "none", 0, 0, 0, 0, 0, ""
    end
    return kind, tonumber(healthy), tonumber(ill), tonumber(unprobed), tonumber(round_ms),
        tonumber(held), trouble
end

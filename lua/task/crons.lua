-- crons: the crons of a queue.
-- keys: crons
-- and the cron of each
-- args: base queue
-- returns: [name schedule params missed next_ms(-1: not planned yet)] each
local all, reply = redis.call("ZRANGE", KEYS[1], 0, -1, "WITHSCORES"), {}
for i = 1, #all, 2 do
    local queue, name = string.match(all[i], "^(%S+) (.*)$")
    if queue == ARGV[2] then
        local cron = ARGV[1] .. "|cron|" .. all[i]
        local values = redis.call("HMGET", cron, "schedule", "params", "missed")
        local when = tonumber(all[i + 1])
        reply[#reply + 1] = {
            name, values[1] or "", values[2] or "", values[3] or "", when > 0 and when or -1,
        }
    end
end
return reply

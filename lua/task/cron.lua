-- cron: makes a cron, or changes it; when it is due first is worked out by whoever leads.
-- keys: crons queues cron
-- args: base queue name schedule params missed timeout_ms retries priority most
-- returns: OK; BUSY
-- include: task/ready.lua
base = ARGV[1]
local member = ARGV[2] .. " " .. ARGV[3]
if call("EXISTS", KEYS[3]) == 0 and call("ZCARD", KEYS[1]) >= tonumber(ARGV[10]) then
    return refusal("BUSY there are " .. ARGV[10] .. " crons already")
end
call("HSET", KEYS[3], "schedule", ARGV[4], "params", ARGV[5], "missed", ARGV[6], "timeout", ARGV[7],
    "retries", ARGV[8], "priority", ARGV[9])
clock()
call("ZADD", KEYS[1], plain(-now_us), member) -- whoever is just moving on the old one will not match
call("SADD", KEYS[2], ARGV[2])
rouse()
note_due(clock())
settle()
return redis.status_reply("OK")

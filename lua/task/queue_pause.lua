-- queue_pause: from now on nothing is taken from a queue, or again.
-- keys: list ranked meta waiting
-- args: base queue paused(1|0)
-- returns: OK
-- include: task/ready.lua
base = ARGV[1]
if ARGV[3] == "1" then
    call("HSET", KEYS[3], "paused", "1")
elseif call("HDEL", KEYS[3], "paused") == 1 then
    wake({ queue = ARGV[2], waiting = KEYS[4] }, call("LLEN", KEYS[1]) + call("ZCARD", KEYS[2]))
end
settle()
return redis.status_reply("OK")

-- uncron: ends a cron; tasks that it has submitted go on.
-- keys: crons cron
-- args: base queue name
-- returns: 1; 0 when there is none
redis.call("DEL", KEYS[2])
return redis.call("ZREM", KEYS[1], ARGV[2] .. " " .. ARGV[3])

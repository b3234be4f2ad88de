-- queue_info: how a queue is.
-- keys: daemons list ranked meta waiting listen delayed dead
-- and the list and ranked of each daemon's own workers
-- args: none
-- returns: [waiting, delayed, taken, dead, listens that wait, does somebody listen?, is it paused?,
--   of those that wait, for one daemon's own workers]
-- include: task/own.lua
local call = redis.call
local meta = call("HMGET", KEYS[4], "taken", "paused")
local own, places = 0, own_places(KEYS[1], KEYS[2], KEYS[3])
for i = 1, #places do
    own = own + call("LLEN", places[i].list) + call("ZCARD", places[i].ranked)
end
return {
    call("LLEN", KEYS[2]) + call("ZCARD", KEYS[3]) + own, call("ZCARD", KEYS[7]),
    tonumber(meta[1] or 0), call("ZCARD", KEYS[8]), call("ZCARD", KEYS[5]), call("EXISTS", KEYS[6]),
    meta[2] == "1" and 1 or 0, own,
}

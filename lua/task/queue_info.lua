-- queue_info: how a queue is.
-- keys: list ranked meta waiting listen delayed dead
-- returns: [waiting, delayed, taken, dead, listens that wait, does somebody listen?, is it paused?]
local call = redis.call
local meta = call("HMGET", KEYS[3], "taken", "paused")
return {
    call("LLEN", KEYS[1]) + call("ZCARD", KEYS[2]), call("ZCARD", KEYS[6]),
    tonumber(meta[1] or 0), call("ZCARD", KEYS[7]), call("ZCARD", KEYS[4]), call("EXISTS", KEYS[5]),
    meta[2] == "1" and 1 or 0,
}

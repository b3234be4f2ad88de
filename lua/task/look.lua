-- look: what is known of a task.
-- keys: task
-- args: once(1: it is dropped when it has ended)
-- returns: its fields and their values, then "ttl" and its ms (-1: none); nil when there is none
local fields = redis.pcall("HGETALL", KEYS[1])
if fields.err or #fields == 0 then
    return false
end
fields[#fields + 1] = "ttl"
fields[#fields + 1] = redis.call("PTTL", KEYS[1])
if ARGV[1] == "1" then
    local state = redis.call("HGET", KEYS[1], "state")
    if state == "done" or state == "failed" then
        redis.call("DEL", KEYS[1])
    end
end
return fields

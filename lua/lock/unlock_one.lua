-- unlock_one: a batch of one UNLOCK. Flat: see lock_one.
-- keys: journal lock claim
-- args: daemon sequence owner("": whoever holds it)
-- returns: as batch; or FULL, with nothing changed, when somebody waits for some lock
local call, owner = redis.call, ARGV[3]

local fields = call("HMGET", KEYS[1], ARGV[1], "waiting")
local known = fields[1]
if fields[2] then
    return "FULL"
elseif known and tonumber(string.match(known, "^%d+") or 0) >= tonumber(ARGV[2]) then
    return redis.error_reply("STALE this batch has been done or recalled")
end
local value = call("GET", KEYS[2])
if not value then
    return { 0 }
elseif value == "#SHARED" or value == "#PERMITS" then
    return { redis.status_reply("KIND") }
elseif owner ~= "" and value ~= owner then
    return { redis.error_reply("NOTOWNER another owner holds this lock") }
end
call("DEL", KEYS[2], KEYS[3])
return { 1 }

-- recall: gives back what a batch granted whose answer was lost, and forbids that batch to happen
-- later. What its owner has been told of since (see hold) stays his.
-- keys: counter journal waiters waiting lines daemons
-- and the keys that the journal names: they were the batch's
-- args: daemon sequence
-- returns: how many locks and shares were given back
-- include: lock/shares.lua
-- include: lock/line.lua
local daemon, sequence = ARGV[1], ARGV[2]
local record = call("HGET", KEYS[2], daemon) or "0"
local done = tonumber(string.match(record, "^%d+") or 0)
local count, parts, i = 0, {}, 1
if done > tonumber(sequence) then
    return 0
end
if done == tonumber(sequence) then
    for part in string.gmatch(string.match(record, "^%d+%z%d+(.*)$") or "", "%z(%Z*)") do
        parts[#parts + 1] = part
    end
end

local shares = make_shares(call("GET", KEYS[1]))
while parts[i] do
    if parts[i] == "X" then
        local lock, claim, owner, fence = unpack(parts, i + 1, i + 4)
        local values = call("MGET", lock, claim)
        local claim_value = string.match(values[2] or "", "^%Z*")
        if values[1] == owner and claim_value == fence .. "-" .. owner then
            call("DEL", lock, claim)
            line.touched[lock] = true
            count = count + 1
        end
        i = i + 5
    else
        local lock, holders, shares_key, owner, fence = unpack(parts, i + 1, i + 5)
        local key = { lock = lock, holders = holders, shares = shares_key }
        local value = call("MGET", lock)[1]
        local has_many = value == SHARED or value == PERMITS
        if has_many and shares.leave(key, value, owner, fence) == 1 then
            line.touched[lock] = true
            count = count + 1
        end
        i = i + 6
    end
end
call("HDEL", KEYS[2], daemon) -- never refused for want of memory, nor is what follows it
call("HSET", KEYS[2], daemon, sequence .. "\0" .. format("%.0f", time_ms()))
line.finish()
return count

-- batch: goes over the operations of a batch, in the order given: malloc, free, renew.
-- keys: pool head tail leases departed journal held notes requests bindings
-- args: daemon sequence mode(exclusive|shared) then operations, each a letter and its args: see malloc, free, renew
-- returns: one element an operation; or error STALE for the whole when the journal has this sequence already (nothing done)
-- include: pool/malloc.lua
-- include: pool/free.lua
-- include: pool/renew.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
malloc.is_shared = ARGV[3] == "shared"

-- Reads in few calls what the operations will ask for: ends, lease keys and entries. Nothing is
-- written before every key's type is known to be right.
local function read_ahead()
    local keys, leased, names = { key.head, key.tail }, {}, {}
    local at = 4
    while ARGV[at] do
        local letter = ARGV[at]
        if letter == "M" then
            at = at + 9
        elseif letter == "R" then
            leased[#leased + 1] = ARGV[at + 1]
            names[#names + 1] = ARGV[at + 1]
            at = at + 4
        elseif letter == "F" then
            local n = tonumber(ARGV[at + 3])
            for i = at + 4, at + 3 + n do
                leased[#leased + 1] = ARGV[i]
                names[#names + 1] = ARGV[i]
            end
            at = at + 4 + n
        else
            return refusal("ERR unknown operation " .. shown(letter))
        end
    end
    redis.call("ZCARD", key.index)
    local few = math.min(#leased, CHUNK)
    for i = 1, few do
        keys[i + 2] = key.lease(leased[i])
    end
    local values = redis.call("MGET", unpack(keys))
    list.start(values[1], values[2])
    for i = 1, few do
        value_of[leased[i]] = values[i + 2]
    end
    if #leased > few then
        for i, value in ipairs(key.values(leased)) do
            value_of[leased[i]] = value
        end
    end
    names[#names + 1] = list.head ~= "" and list.head or nil
    names[#names + 1] = list.tail ~= "" and list.tail or nil
    if #names == 0 then
        redis.call("HLEN", key.pool)
    end
    entry.read(names)
    return nil
end

local function run()
    local known = redis.call("HMGET", key.journal, "fence", ARGV[1])
    if known[2] and tonumber(string.match(known[2], "^%d+") or 0) >= tonumber(ARGV[2]) then
        return refusal("STALE this batch has been done or recalled")
    end
    grants.last_fence = tonumber(known[1] or 0) or 0
    local refused = read_ahead()
    if refused then
        return refused
    end
    local replies, at = {}, 4
    while ARGV[at] do
        local letter, reply = ARGV[at]
        if letter == "M" then
            reply = malloc.run(at)
            at = at + 9
        elseif letter == "F" then
            reply = free.run(at)
            at = at + 4 + tonumber(ARGV[at + 3])
        else
            reply = renew(at)
            at = at + 4
        end
        replies[#replies + 1] = reply
    end
    index.write()
    list.write()
    if #grants.list > 0 then
        grants.write(ARGV[1], ARGV[2])
    end
    return replies
end

return run()

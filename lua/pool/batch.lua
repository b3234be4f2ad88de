-- batch: goes over the operations of a batch, in the order given: malloc, free, renew.
-- keys: pool head tail leases journal held notes requests bindings
-- args: daemon sequence mode(exclusive|shared) then operations, each a letter and its args: see malloc, free, renew
-- returns: one element an operation; or error STALE for the whole when the journal has this sequence already (nothing done)
-- include: pool/malloc.lua
-- include: pool/free.lua
-- include: pool/renew.lua
K_leases, K_journal, K_held, K_notes = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
K_requests, K_bindings = KEYS[8], KEYS[9]
is_shared = ARGV[3] == "shared"

-- Reads in few calls what the operations will ask for: ends, lease keys and entries. Nothing is
-- written before every key's type is known to be right.
local function read_ahead()
    local keys, leased, names = { K_head, K_tail }, {}, {}
    local at = 4
    while ARGV[at] do
        local letter = ARGV[at]
        if letter == "M" then
            at = at + 9
        elseif letter == "R" then
            leased[#leased + 1] = ARGV[at + 1]
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
    call("ZCARD", K_leases)
    local few = min(#leased, CHUNK)
    for i = 1, few do
        keys[i + 2] = lease_key(leased[i])
    end
    local values = call("MGET", unpack(keys))
    list_start(values[1], values[2])
    for i = 1, few do
        value_of[leased[i]] = values[i + 2]
    end
    if #leased > few then
        for i, value in ipairs(lease_values(leased)) do
            value_of[leased[i]] = value
        end
    end
    names[#names + 1] = head ~= "" and head or nil
    names[#names + 1] = tail ~= "" and tail or nil
    if #names == 0 then
        call("HLEN", K_pool)
    end
    entry_read(names)
    return nil
end

local function run()
    local known = call("HMGET", K_journal, "fence", ARGV[1])
    if known[2] and tonumber(match(known[2], "^%d+") or 0) >= tonumber(ARGV[2]) then
        return refusal("STALE this batch has been done or recalled")
    end
    last_fence = tonumber(known[1] or 0) or 0
    local refused = read_ahead()
    if refused then
        return refused
    end
    local replies, at = {}, 4
    while ARGV[at] do
        local letter, reply = ARGV[at]
        if letter == "M" then
            reply = malloc(at)
            at = at + 9
        elseif letter == "F" then
            reply = free(at)
            at = at + 4 + tonumber(ARGV[at + 3])
        else
            reply = renew(at)
            at = at + 4
        end
        replies[#replies + 1] = reply
    end
    index_write()
    list_write()
    if #granted > 0 then
        journal_write(ARGV[1], ARGV[2])
    end
    return replies
end

return run()

-- held: what an owner holds.
-- keys: pool held notes journal
-- args: owner
-- returns: resource token fence ttl_ms(-1: permanent) of each; only leases that live
-- include: pool/slot.lua
-- include: pool/note.lua
key.held, key.notes, key.journal = KEYS[2], KEYS[3], KEYS[4]

local function run()
    local owner, reply = ARGV[1], {}
    redis.call("HLEN", key.pool)
    local members = redis.call("ZRANGEBYLEX", key.held, "[" .. owner .. "\0", "(" .. owner .. "\1")
    local resources = {}
    for i = 1, #members do
        resources[i] = string.sub(members[i], #owner + 2)
    end
    local values = key.values(resources)
    for i, resource in ipairs(resources) do
        local token, its_owner = note.split(redis.call("HGET", key.notes, resource))
        if values[i] == token and its_owner == owner then
            local n = #reply
            reply[n + 1], reply[n + 2], reply[n + 3] = resource, token, key.fence_of(token)
            reply[n + 4] = redis.call("PTTL", key.lease(resource))
        end
    end
    return slot.tell(reply, "")
end

return run()

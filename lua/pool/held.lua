-- held: what an owner holds.
-- keys: pool held notes
-- args: owner
-- returns: resource token fence ttl_ms(-1: permanent) of each; only leases that live
-- include: pool/key.lua
-- include: pool/note.lua
K_held, K_notes = KEYS[2], KEYS[3]

local function run()
    local owner, reply = ARGV[1], {}
    call("HLEN", K_pool)
    local members = call("ZRANGEBYLEX", K_held, "[" .. owner .. "\0", "(" .. owner .. "\1")
    local resources = {}
    for i = 1, #members do
        resources[i] = sub(members[i], #owner + 2)
    end
    local values = lease_values(resources)
    for i, resource in ipairs(resources) do
        local token, its_owner = note_split(call("HGET", K_notes, resource))
        if values[i] == token and its_owner == owner then
            local n = #reply
            reply[n + 1], reply[n + 2], reply[n + 3] = resource, token, fence_of(token)
            reply[n + 4] = call("PTTL", lease_key(resource))
        end
    end
    return reply
end

return run()

-- free: ends leases (part of batch).
-- arguments: F token("" = whoever holds it) expiry_ms("" = keep) n resource...; before it, with what the
-- holder says of them: X O<ok|slow|fail>
-- returns: how many leases were ended; NOTOWNER
-- include: pool/grant.lua
-- include: pool/outcome.lua
local free = { NOT_OWNER = "NOTOWNER the lease of this resource has another token" }

-- The token of a lease that is known; nil when there is no lease (what is aside has none).
function free.token(resource)
    local value = value_of[resource]
    return key.is_token(value) and value or nil
end

-- The entries of the request's resources that have a lease; nil and a refusal when it cannot be done.
function free.find(at)
    local token, held, is_pushing = ARGV[at + 1], {}, false
    for i = at + 4, at + 3 + tonumber(ARGV[at + 3]) do
        local resource, refused = slot.meant(ARGV[i], token)
        local its_token = resource and free.token(resource)
        if refused then
            return nil, refused
        elseif its_token then
            if token ~= "" and token ~= its_token then
                return nil, refusal(free.NOT_OWNER)
            end
            local prev = entry.of(resource)
            if prev == MALFORMED then
                return nil, refusal(broken("the entry makes no sense:", resource))
            end
            is_pushing = is_pushing or prev == ALLOCATED
            held[#held + 1] = resource
        end
    end
    local fault = is_pushing and list.push_fault()
    if fault then
        return nil, refusal(fault)
    end
    return held
end

function free.run(at, more)
    local held, refused = free.find(at)
    if refused then
        return refused
    end
    for i = 1, #held, CHUNK do
        redis.call("DEL", unpack(key.lease_list(held, i, math.min(i + CHUNK - 1, #held))))
    end
    local new_expiry = ARGV[at + 2] ~= "" and entry.expiry_after(span(ARGV[at + 2]))
    local count, noted, said = 0, {}, string.match(more, "^O(%a+)$")
    for i = 1, #held do
        local resource = held[i]
        local token = value_of[resource]
        if token then -- else named twice
            count = count + 1
            value_of[resource] = false
            index.set(resource, false)
            if note.has(token) then
                noted[#noted + 1] = resource
            end
            local prev = prev_of[resource]
            if said and prev ~= ABSENT then
                outcome.note(resource, said)
            end
            if prev == ALLOCATED then
                list.take_back(resource, new_expiry or expiry_of[resource])
            elseif prev ~= ABSENT and new_expiry then
                list.set_expiry(resource, new_expiry)
            end
        end
    end
    note.forget(noted)
    return count
end

-- arguments: G token "" 1 resource holder will_return(1|0): a session leaves what it got by a request with
--   a reqid
-- returns: 1: the lease has ended, for nobody else has it and the session will not return; 0
function free.leave(at)
    local token = ARGV[at + 1]
    local resource = slot.meant(ARGV[at + 4], token)
    local is_last = resource and free.token(resource) == token
        and note.leave(resource, token, ARGV[at + 5])
    return is_last and ARGV[at + 6] == "0" and free.run(at, "") or 0
end

-- malloc: hands out what is free (part of batch).
-- arguments: M how(1|n|a) count timeout_ms random name binding_ms owner reqid
-- returns: resource token fence ttl_ms of each (shared: token "", fence 0, ttl -1); empty when none
-- include: pool/grant.lua
-- include: pool/binding.lua
local is_shared
local nothing_due = false -- the index has been asked in this batch
local asked_here = {} -- reqids granted in this batch

-- Puts what is due behind the tail, until something has come or nothing is due. Returns a fault.
local function refill()
    while not nothing_due do
        local due, free, _, fault = lease_reclaim(100)
        if fault then
            return fault
        end
        nothing_due = due < 100
        if free > 0 then
            break
        end
    end
    return nil
end

-- Takes the head out of the list, whatever its state: an allocated one now. Nil when there is none.
local function take_head()
    local fault = head == "" and refill()
    if fault then
        return nil, fault
    end
    if head == "" then
        return nil, list_push_fault()
    end
    local name = head
    fault = list_unlink_fault(name)
    if fault then
        return nil, fault
    end
    list_allocate(name)
    return name
end

local function is_locked(resource)
    return call("EXISTS", lease_key(resource)) == 1
end

-- Lends a resource that is out of the list, as the pool's mode has it, and adds it to the reply.
-- False when somebody's lock is on it: then it stays outside, and in the index.
local function lend(resource, ask)
    local reply, n = ask.reply, #ask.reply
    if is_shared then
        if is_locked(resource) then
            index_as_it_is(resource)
            return false
        end
        taken[resource] = true
        reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = resource, "", 0, -1
        return true
    end
    local token, fence = grant(resource, ask.timeout_ms, ask.mark, ask.random, ask.count > 1)
    if not token then
        index_as_it_is(resource)
        return false
    end
    reply[n + 1], reply[n + 2], reply[n + 3] = resource, token, fence
    reply[n + 4] = ask.timeout_ms > 0 and ask.timeout_ms or -1
    return true
end

-- Lends heads until `count` are lent or there are no more. What has expired leaves the pool.
local function lend_heads(ask)
    local wanted = ask.count * 4
    while #ask.reply < wanted do
        local name, fault = take_head()
        if not name then
            return fault
        end
        if is_past(expiry_of[name]) then
            list_remove(name)
        else
            lend(name, ask)
        end
    end
    return nil
end

-- A bound one that a shared pool lends alone keeps its place in the list.
local function keeps_place(ask)
    return is_shared and ask.count == 1
end

local function lend_bound(resource, ask)
    if not keeps_place(ask) and prev_of[resource] ~= ALLOCATED then
        list_allocate(resource)
    end
    lend(resource, ask)
end

-- Can the bound resource be had? A fault as the second.
local function bound_is_free(resource)
    local prev = entry_of(resource)
    if prev == ABSENT then
        return false
    end
    if prev == MALFORMED then
        return false, broken("the entry makes no sense:", resource)
    end
    if is_past(expiry_of[resource]) or is_locked(resource) then
        return false
    end
    return true, prev ~= ALLOCATED and list_unlink_fault(resource) or nil
end

-- `count` names of the free list that can be had, but for `bound`, without touching anything; nil
-- when there are not so many. For those who want all or none.
local function survey(count, bound)
    local names, seen = {}, {}
    local name, before = head, ""
    while #names < count do
        if name == "" then
            local fault = refill()
            name = before == "" and head or next_of[before]
            if fault or name == "" then
                return nil, fault or list_push_fault()
            end
        else
            local fault = seen[name] and broken("the free list is a circle at", name)
                or list_unlink_fault(name)
            if fault then
                return nil, fault
            end
            seen[name] = true
            if name ~= bound and not is_past(expiry_of[name]) and not is_locked(name) then
                names[#names + 1] = name
            end
            before, name = name, next_of[name]
        end
    end
    return names
end

-- All or none: the bound one, then what the survey has found.
local function lend_all(ask, bound)
    local names, fault = survey(ask.count - (bound and 1 or 0), bound)
    if not names then
        return fault
    end
    if bound then
        lend_bound(bound, ask)
    end
    for i = 1, #names do
        list_allocate(names[i])
        lend(names[i], ask)
    end
    return nil
end

-- In a shared pool what was lent goes behind the tail, but for one that has kept its place.
local function rotate(reply, kept)
    for i = 1, #reply, 4 do
        local resource = reply[i]
        taken[resource] = nil
        if resource ~= kept then
            list_push(resource, expiry_of[resource])
        end
    end
end

-- What a request with this id was given, as far as it still has it; nil when nothing.
local function request_again(reqid)
    local record = call("HGET", K_requests, reqid)
    if not record then
        return nil
    end
    local parts, flag = request_split(record)
    local resources, reply = {}, {}
    for i = 1, #parts - 1, 2 do
        resources[#resources + 1] = parts[i]
    end
    local values = lease_values(resources)
    for i, resource in ipairs(resources) do
        local token = parts[2 * i]
        if values[i] == token then
            local n = #reply
            reply[n + 1], reply[n + 2], reply[n + 3] = resource, token, fence_of(token)
            reply[n + 4] = call("PTTL", lease_key(resource))
        end
    end
    if #reply == 0 then
        return nil
    end
    -- From now on the lease is also that of another batch: recall leaves it alone.
    if flag == "0" and not asked_here[reqid] then
        call("HSET", K_requests, reqid, "1" .. sub(record, 2))
    end
    return reply
end

-- Notes what was lent: the binding, owner and request.
local function note_lent(reply, at)
    local name, owner, reqid = ARGV[at + 5], ARGV[at + 7], ARGV[at + 8]
    if name ~= "" then
        binding_set(name, reply[1], span(ARGV[at + 6]))
    end
    if owner ~= "" or reqid ~= "" then
        local tokens = {}
        for i = 1, #reply, 4 do
            tokens[#tokens + 1] = reply[i]
            tokens[#tokens + 1] = reply[i + 1]
        end
        note_grants(tokens, owner, reqid)
        asked_here[reqid] = true
    end
end

local function malloc(at)
    local name, owner, reqid = ARGV[at + 5], ARGV[at + 7], ARGV[at + 8]
    local ask = {
        count = tonumber(ARGV[at + 2]), timeout_ms = span(ARGV[at + 3]), random = ARGV[at + 4],
        mark = "-", reply = {},
    }
    if owner ~= "" or reqid ~= "" then
        ask.mark = "+"
        local refused = note_fault()
        local again = not refused and reqid ~= "" and request_again(reqid)
        if refused or again then
            return refused or again
        end
    end
    local fault = is_shared and list_push_fault()
    local was_bound = name ~= "" and binding_get(name)
    local bound = false
    if was_bound and not fault then
        bound, fault = bound_is_free(was_bound)
        bound = bound and was_bound
    end
    if not fault then
        if ARGV[at + 1] == "a" then
            fault = lend_all(ask, bound)
        else
            if bound then
                lend_bound(bound, ask)
            end
            fault = lend_heads(ask)
        end
    end
    local reply = ask.reply
    if #reply > 0 then
        if is_shared then
            rotate(reply, keeps_place(ask) and bound)
        end
        note_lent(reply, at)
    elseif fault then
        return refusal(fault)
    elseif was_bound and not bound then
        binding_drop(name)
    end
    return reply
end

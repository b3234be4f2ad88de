-- lease: lease keys and the index of their deadlines.
-- A lease lives as long as its key; the index only says when it is worth a look.
-- The script sets K_leases, and K_notes, K_held, K_requests when it ends leases (see note).
-- include: pool/list.lua
-- include: pool/note.lua
local K_leases

-- Resources that a shared pool is lending at this moment: outside of the list without a lease.
local taken = {}
local deadline_of, indexed = {}, {} -- what index_write() will do: a score, or false to remove

local function index_set(resource, deadline)
    if deadline_of[resource] == nil then
        indexed[#indexed + 1] = resource
    end
    deadline_of[resource] = deadline
end

-- The index gets what the lease key says.
local function index_as_it_is(resource)
    local ttl_ms = call("PTTL", lease_key(resource))
    if ttl_ms == -2 then
        index_set(resource, false)
    elseif ttl_ms == -1 then
        index_set(resource, "+inf")
    else
        index_set(resource, clock() + max(ttl_ms, 1))
    end
end

local function index_write()
    local gone, due = {}, {}
    for i = 1, #indexed do
        local resource = indexed[i]
        local deadline = deadline_of[resource]
        if deadline then
            due[#due + 1] = deadline
            due[#due + 1] = resource
        else
            gone[#gone + 1] = resource
        end
    end
    call_each("ZREM", K_leases, gone)
    call_each("ZADD", K_leases, due)
    deadline_of, indexed = {}, {}
end

-- What becomes of an entry outside of the list whose lease has ended: its place at the tail, or its
-- leave when it has expired. list_push_fault() has found nothing. True: it can be had again.
local function list_take_back(resource, expiry)
    if is_past(expiry) then
        list_remove(resource)
        return false
    end
    list_push(resource, expiry)
    return true
end

-- Takes back what is due, at most `limit` entries of the index: they are looked at, and each is out
-- of the index or has a later deadline afterwards (written at once). Returns how many were due, how
-- many of them are free now, how many had expired; a fault as the fourth: nothing is done then.
local function lease_reclaim(limit)
    local due = call("ZRANGEBYSCORE", K_leases, "-inf", clock(), "LIMIT", 0, limit)
    if #due == 0 then
        return 0, 0, 0
    end
    entry_read(due)
    local fault = list_push_fault()
    for i = 1, #due do
        if entry_of(due[i]) == MALFORMED then
            fault = fault or broken("the entry makes no sense:", due[i])
        end
    end
    if fault then
        return #due, 0, 0, fault
    end
    local living = locked_among(due)
    local ended, later = {}, {}
    for i = 1, #due do
        if living[due[i]] then
            later[#later + 1] = due[i]
        else
            ended[#ended + 1] = due[i]
        end
    end
    call_each("ZREM", K_leases, ended)
    note_forget_all(ended)
    for i = 1, #later do
        index_as_it_is(later[i])
        call("ZADD", K_leases, deadline_of[later[i]], later[i])
    end
    local free, expired = 0, 0
    for i = 1, #ended do
        if prev_of[ended[i]] == ALLOCATED and not taken[ended[i]] then
            if list_take_back(ended[i], expiry_of[ended[i]]) then
                free = free + 1
            else
                expired = expired + 1
            end
        end
    end
    return #due, free, expired
end

-- lease: lease keys and the index of their deadlines.
-- A lease lives as long as its key; the index only says when it is worth a look. It is in two parts:
-- what has left the pool while it was leased is departed, so that the other part is a count of the
-- pool's own. Python programs do not tell when they take one out: the collector moves it then.
-- The script sets key.index, key.departed, and those that note wants when it ends leases.
-- include: pool/list.lua
-- include: pool/note.lua
local index = {
    deadline_of = {}, names = {}, -- what index.write() will do: a score, or false to remove
    returned = {}, -- names that are in the pool again: index.write() takes them out of the departed
    taken = {}, -- resources that a shared pool is lending: outside of the list without a lease
}

function index.set(resource, deadline)
    if index.deadline_of[resource] == nil then
        index.names[#index.names + 1] = resource
    end
    index.deadline_of[resource] = deadline
end

-- The index gets what the lease key says.
function index.as_it_is(resource)
    local ttl_ms = redis.call("PTTL", key.lease(resource))
    if ttl_ms == -2 then
        index.set(resource, false)
    elseif ttl_ms == -1 then
        index.set(resource, "+inf")
    else
        index.set(resource, clock() + math.max(ttl_ms, 1))
    end
end

-- Each to the part where it belongs now: whoever sets a deadline has read the entry.
function index.write()
    local gone, due, left, left_due = {}, {}, index.returned, {}
    for i = 1, #index.names do
        local resource = index.names[i]
        local deadline = index.deadline_of[resource]
        local is_departed = not prev_of[resource]
        if is_departed or not deadline then
            gone[#gone + 1] = resource
        end
        if deadline then
            local pairs_ = is_departed and left_due or due
            pairs_[#pairs_ + 1] = deadline
            pairs_[#pairs_ + 1] = resource
        elseif is_departed then
            left[#left + 1] = resource
        end
    end
    call_each("ZREM", key.index, gone)
    call_each("ZREM", key.departed, left)
    call_each("ZADD", key.index, due)
    call_each("ZADD", key.departed, left_due)
    index.deadline_of, index.names, index.returned = {}, {}, {}
end

-- What becomes of an entry outside of the list whose lease has ended: its place at the tail, or its
-- leave when it has expired. list.push_fault() has found nothing. True: it can be had again.
function list.take_back(resource, expiry)
    if entry.is_past(expiry) then
        list.remove(resource)
        return false
    end
    list.push(resource, expiry)
    return true
end

-- Takes back what is due, at most `limit` entries of the index: they are looked at, and each is out
-- of the index or has a later deadline afterwards (written at once). Returns how many were due, how
-- many of them are free now, how many had expired; a fault as the fourth: nothing is done then.
function index.reclaim(limit)
    local due = redis.call("ZRANGEBYSCORE", key.index, "-inf", clock(), "LIMIT", 0, limit)
    if #due == 0 then
        return 0, 0, 0
    end
    entry.read(due)
    local fault = list.push_fault()
    for i = 1, #due do
        if entry.of(due[i]) == MALFORMED then
            fault = fault or broken("the entry makes no sense:", due[i])
        end
    end
    if fault then
        return #due, 0, 0, fault
    end
    local living = key.locked(due)
    local ended, later = {}, {}
    for i = 1, #due do
        if living[due[i]] then
            later[#later + 1] = due[i]
        else
            ended[#ended + 1] = due[i]
        end
    end
    call_each("ZREM", key.index, ended)
    note.forget(ended)
    for i = 1, #later do
        index.as_it_is(later[i])
    end
    if #later > 0 then
        index.write()
    end
    local free, expired = 0, 0
    for i = 1, #ended do
        if prev_of[ended[i]] == ALLOCATED and not index.taken[ended[i]] then
            if list.take_back(ended[i], expiry_of[ended[i]]) then
                free = free + 1
            else
                expired = expired + 1
            end
        end
    end
    return #due, free, expired
end

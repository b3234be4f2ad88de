-- index: the deadlines of lease keys.
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
    local gone, due, left, left_due = {}, {}, {}, {}
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
    call_each("ZREM", key.departed, index.returned)
    call_each("ZREM", key.departed, left)
    call_each("ZADD", key.index, due)
    call_each("ZADD", key.departed, left_due)
    index.deadline_of, index.names, index.returned = {}, {}, {}
end


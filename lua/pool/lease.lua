-- lease: leases end, and what becomes of the resources.
-- include: pool/aside.lua
-- include: pool/place.lua

-- Takes back an entry outside of the list whose lease (or time aside) has ended: "free" at its place
-- in the list, "aside", or "gone" when it has expired. list.push_fault() has found nothing.
function list.take_back(resource, expiry)
    local kind, until_ms, why = aside.place_of(resource)
    if kind == aside.LEAVING or entry.is_past(expiry) then
        list.remove(resource)
        return "gone"
    elseif kind then
        list.put_allocated(resource, expiry)
        aside.put(resource, kind, until_ms, why or "")
        return "aside"
    end
    list.push(resource, expiry)
    return "free"
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
            local place = list.take_back(ended[i], expiry_of[ended[i]])
            free = free + (place == "free" and 1 or 0)
            expired = expired + (place == "gone" and 1 or 0)
        end
    end
    index.write() -- some of them are aside now
    return #due, free, expired
end

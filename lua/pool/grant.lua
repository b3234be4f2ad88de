-- grant: what a batch has granted: fences, tokens, the journal.
-- Knows: leases.  Must not know: requests' arguments.
-- The script sets key.journal and calls grants.open() before the first grant.
-- include: pool/lease.lua
local grants = {
    last_fence = nil, stored_fence = nil,
    list = {}, -- resources of this batch, and the range of their fences:
    from_fence = nil, to_fence = nil,
}

-- The last fence as the journal has it; read when it is not known.
function grants.open(last_fence)
    if last_fence == nil then
        last_fence = redis.call("HGET", key.journal, "fence")
    end
    grants.last_fence = tonumber(last_fence or 0) or 0
    grants.stored_fence = grants.last_fence
end

-- A recall of this batch is to give it back.
function grants.note(resource, fence)
    grants.list[#grants.list + 1] = resource
    grants.from_fence = math.min(grants.from_fence or fence, fence)
    grants.to_fence = math.max(grants.to_fence or fence, fence)
end

-- Gives a resource that is out of the free list a lease. Nil when somebody's lock is on it, else the
-- token and the fence. `mark` is '+' for a lease with a note, else '-'.
function grants.give(resource, timeout_ms, mark, random, is_many)
    clock()
    local fence = math.max(grants.last_fence + 1, now_us)
    local fence_text = plain(fence)
    if is_many then
        random = string.sub(redis.sha1hex(random .. fence_text), 1, 22)
    end
    local token = fence_text .. mark .. random .. slot.suffix(resource)
    local is_set
    if timeout_ms > 0 then
        is_set = redis.call("SET", key.lease(resource), token, "NX", "PX", plain(timeout_ms))
    else
        is_set = redis.call("SET", key.lease(resource), token, "NX")
    end
    if not is_set then
        return nil
    end
    grants.last_fence = fence
    value_of[resource] = token
    index.set(resource, timeout_ms > 0 and now_ms + timeout_ms or "+inf")
    grants.note(resource, fence)
    return token, fence
end

-- The journal's record of a daemon: its newest batch that granted something, when that was, and
-- what it granted: "sequence NUL ms NUL first fence NUL last fence NUL resource NUL resource ...".
-- Whatever lease of these has a fence in between is of that batch.
function grants.write(daemon, sequence)
    local record = { sequence, plain(clock()), plain(grants.from_fence), plain(grants.to_fence) }
    redis.call("HSET", key.journal, "fence", plain(grants.last_fence), daemon,
        table.concat(record, "\0") .. "\0" .. table.concat(grants.list, "\0"))
end

-- For those that have granted only to who waits.
function grants.write_fence()
    if grants.last_fence ~= grants.stored_fence then
        redis.call("HSET", key.journal, "fence", plain(grants.last_fence))
    end
end

-- grant: what a batch has granted: fences, tokens, the journal.
-- Knows: leases.  Must not know: requests' arguments.
-- The script sets key.journal and grants.last_fence.
-- include: pool/lease.lua
local grants = {
    last_fence = 0,
    list = {}, -- resources of this batch
    first_fence = nil,
}
local value_of = {} -- values of lease keys as far as they are known; false: none

-- Gives a resource that is out of the free list a lease. Nil when somebody's lock is on it, else the
-- token and the fence. `mark` is '+' for a lease with a note, else '-'.
function grants.give(resource, timeout_ms, mark, random, is_many)
    clock()
    local fence = math.max(grants.last_fence + 1, now_us)
    local fence_text = plain(fence)
    if is_many then
        random = string.sub(redis.sha1hex(random .. fence_text), 1, 22)
    end
    local token = fence_text .. mark .. random
    local is_set
    if timeout_ms > 0 then
        is_set = redis.call("SET", key.lease(resource), token, "NX", "PX", plain(timeout_ms))
    else
        is_set = redis.call("SET", key.lease(resource), token, "NX")
    end
    if not is_set then
        return nil
    end
    grants.first_fence = grants.first_fence or fence
    grants.last_fence = fence
    value_of[resource] = token
    index.set(resource, timeout_ms > 0 and now_ms + timeout_ms or "+inf")
    grants.list[#grants.list + 1] = resource
    return token, fence
end

-- The journal's record of a daemon: its newest batch that granted something, when that was, and
-- what it granted: "sequence NUL ms NUL first fence NUL last fence NUL resource NUL resource ...".
-- Whatever lease of these has a fence in between is of that batch.
function grants.write(daemon, sequence)
    local record = { sequence, plain(clock()), plain(grants.first_fence), plain(grants.last_fence) }
    redis.call("HSET", key.journal, "fence", plain(grants.last_fence), daemon,
        table.concat(record, "\0") .. "\0" .. table.concat(grants.list, "\0"))
end

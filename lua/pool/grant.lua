-- grant: what a batch has granted: fences, tokens, the journal.
-- Knows: leases.  Must not know: requests' arguments.
-- The script sets K_journal and last_fence.
-- include: pool/lease.lua
local K_journal
local last_fence
local granted = {} -- resource, token, resource, token ... of this batch
local value_of = {} -- values of lease keys as far as they are known; false: none

-- Gives a resource that is out of the free list a lease. Nil when somebody's lock is on it, else the
-- token and the fence. `mark` is '+' for a lease with a note, else '-'.
local function grant(resource, timeout_ms, mark, random, is_many)
    clock()
    local fence = max(last_fence + 1, now_us)
    local fence_text = plain(fence)
    if is_many then
        random = sub(redis.sha1hex(random .. fence_text), 1, 22)
    end
    local token = fence_text .. mark .. random
    local is_set
    if timeout_ms > 0 then
        is_set = call("SET", lease_key(resource), token, "NX", "PX", plain(timeout_ms))
    else
        is_set = call("SET", lease_key(resource), token, "NX")
    end
    if not is_set then
        return nil
    end
    last_fence = fence
    value_of[resource] = token
    index_set(resource, timeout_ms > 0 and now_ms + timeout_ms or "+inf")
    granted[#granted + 1] = resource
    granted[#granted + 1] = token
    return token, fence
end

local function journal_write(daemon, sequence)
    local record = sequence .. "\0" .. plain(clock())
    if #granted > 0 then
        record = record .. "\0" .. concat(granted, "\0")
    end
    call("HSET", K_journal, "fence", plain(last_fence), daemon, record)
end

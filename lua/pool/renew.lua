-- renew: gives a lease a new deadline (part of batch).
-- arguments: R resource token("" = whoever holds it) timeout_ms; K likewise, but it
--   lasts for longer if it does already (timeout_ms > 0), and never longer than max_lease all in all
-- returns: 1; 0 without such a lease; NOTOWNER; K that it was cut by max_lease: so many ms are left, the last
-- include: pool/free.lua
-- include: pool/limit.lua

local function renew(at)
    local token, timeout_ms, reply = ARGV[at + 2], limit.time(span(ARGV[at + 3])), 1
    local resource, refused = slot.meant(ARGV[at + 1], token)
    local its_token = resource and free.token(resource)
    if not its_token then
        return refused or 0
    end
    if token ~= "" and token ~= its_token then
        return refusal(free.NOT_OWNER)
    end
    if ARGV[at] == "K" then
        local ttl_ms, left_ms = redis.call("PTTL", key.lease(resource)), limit.left(its_token)
        if left_ms and left_ms < 2 then
            return 0
        elseif ttl_ms == -1 or ttl_ms > timeout_ms then
            return 1
        elseif left_ms and left_ms < timeout_ms then
            timeout_ms, reply = left_ms, left_ms
        end
    end
    if timeout_ms > 0 then
        redis.call("PEXPIRE", key.lease(resource), plain(timeout_ms))
        index.set(resource, clock() + timeout_ms)
    else
        redis.call("PERSIST", key.lease(resource))
        index.set(resource, "+inf")
    end
    return reply
end

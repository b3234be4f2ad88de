-- renew: gives a lease a new deadline (part of batch).
-- arguments: R resource token("" = whoever holds it) timeout_ms; K likewise, but it
--   lasts for longer if it does already (timeout_ms > 0)
-- returns: 1; 0 without such a lease; NOTOWNER
-- include: pool/free.lua

local function renew(at)
    local resource, token, timeout_ms = ARGV[at + 1], ARGV[at + 2], span(ARGV[at + 3])
    local its_token = free.token(resource)
    if not its_token then
        return 0
    end
    if token ~= "" and token ~= its_token then
        return refusal(free.NOT_OWNER)
    end
    if ARGV[at] == "K" then
        local ttl_ms = redis.call("PTTL", key.lease(resource))
        if ttl_ms == -1 or ttl_ms > timeout_ms then
            return 1
        end
    end
    if timeout_ms > 0 then
        redis.call("PEXPIRE", key.lease(resource), plain(timeout_ms))
        index.set(resource, clock() + timeout_ms)
    else
        redis.call("PERSIST", key.lease(resource))
        index.set(resource, "+inf")
    end
    return 1
end

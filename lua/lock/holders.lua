-- holders: who holds a lock.
-- keys: lock holders set
-- args: (none)
-- returns: nil; its owner; or an array of owners, the first to end first, when it can have several
-- include: lock/hold.lua
call("SCARD", KEYS[3]) -- of the right type?
local value = call("GET", KEYS[1])
if value == SHARED or value == PERMITS then
    return call("ZRANGEBYSCORE", KEYS[2], format("(%.0f", time_ms()), "+inf")
end
return value

-- trait: what is known of single resources beside their entries. Hash, letter and resource -> value:
--   a  why it is aside: see aside
--   d  what belongs to it: see data
--   h  what its probe has found: "healthy|ill <since when, ms> <latency, us> <the last result>"
--   l  its labels: see label
--   p  its priority, -1000..1000; none: 0
--   s  what its holders have said of it: see outcome
--   u  how often it was granted, in a pool with order=least-used
--   t  when it may be granted next: see pace
-- It goes when the resource leaves the pool.
-- The script sets key.traits, key.aside.
-- include: pool/key.lua
local trait = { LETTERS = { "a", "d", "h", "l", "p", "s", "t", "u" } }

function trait.of(letter, resource)
    return redis.call("HGET", key.traits, letter .. resource)
end

function trait.set(letter, resource, value)
    redis.call("HSET", key.traits, letter .. resource, value)
end

function trait.drop(letter, resource)
    redis.call("HDEL", key.traits, letter .. resource)
end

-- One more; what is no number stays.
function trait.count(letter, resource)
    redis.pcall("HINCRBY", key.traits, letter .. resource, 1)
end

-- These have left the pool.
function trait.forget(resources)
    if redis.call("ZCARD", key.aside) > 0 then
        call_each("ZREM", key.aside, resources)
    end
    if redis.call("HLEN", key.traits) == 0 then
        return
    end
    local fields = {}
    for i = 1, #resources do
        for k = 1, #trait.LETTERS do
            fields[#fields + 1] = trait.LETTERS[k] .. resources[i]
        end
    end
    call_each("HDEL", key.traits, fields)
end

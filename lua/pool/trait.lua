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
-- A resource with several units has one of each, but of what OF_ENTRY names each unit has its own.
-- The script sets key.traits, key.aside, and what slot wants.
-- include: pool/slot.lua
local trait = {
    LETTERS = { "a", "d", "h", "l", "p", "s", "t", "u" },
    OF_ENTRY = { a = true, t = true, u = true },
}

function trait.field(letter, name)
    return letter .. (trait.OF_ENTRY[letter] and name or (slot.split(name)))
end

function trait.of(letter, resource)
    return redis.call("HGET", key.traits, trait.field(letter, resource))
end

function trait.set(letter, resource, value)
    redis.call("HSET", key.traits, trait.field(letter, resource), value)
end

function trait.drop(letter, resource)
    redis.call("HDEL", key.traits, trait.field(letter, resource))
end

-- One more; what is no number stays.
function trait.count(letter, resource)
    redis.pcall("HINCRBY", key.traits, trait.field(letter, resource), 1)
end

-- These have left the pool: entries, and resources of which nothing is left.
function trait.forget(entries, resources)
    if redis.call("ZCARD", key.aside) > 0 then
        call_each("ZREM", key.aside, entries)
    end
    if redis.call("HLEN", key.traits) == 0 then
        return
    end
    local fields = {}
    for _, letter in ipairs(trait.LETTERS) do
        local names = trait.OF_ENTRY[letter] and entries or resources
        for i = 1, #names do
            fields[#fields + 1] = letter .. names[i]
        end
    end
    call_each("HDEL", key.traits, fields)
end

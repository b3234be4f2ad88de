-- fence_check: the gate before a write to something that knows no fences.
-- keys: fences
-- args: name n
-- returns: 1 when n is at least the largest seen for the name, which it becomes; else 0
-- include: prelude.lua
-- Up to 2^63-1, more than a double holds: compared as decimal strings.

local function digits(text)
    return string.match(text, "^0*(%d+)$") or "0"
end

local function run()
    local n, largest = digits(ARGV[2]), digits(redis.call("HGET", KEYS[1], ARGV[1]) or "0")
    if #n < #largest or (#n == #largest and n < largest) then
        return 0
    end
    if n ~= largest then
        redis.call("HSET", KEYS[1], ARGV[1], n)
    end
    return 1
end

return run()

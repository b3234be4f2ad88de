-- entry: the values of the pool's hash, as the Python library writes them: resource ->
-- "prev||next||expiry", "" at the ends of the free list, "#ALLOCATED" twice for what is not in it.
-- They are read when they are asked for and kept in memory; see list for those that change.
-- Knows: the first key of its script, pool.  Must not know: the list's ends, leases.
-- include: pool/key.lua
local ALLOCATED = "#ALLOCATED"
local ALLOCATED_FOR_EVER = "#ALLOCATED||#ALLOCATED||-1"
-- What prev_of has for a name that is not in the pool, and for one whose value makes no sense.
local ABSENT, MALFORMED = false, true

local entry = {}
local prev_of, next_of, expiry_of = {}, {}, {} -- nil: not read yet; expiries as they were written

-- prev, next, expiry of a hash value; nil when malformed or half allocated. The greedy pattern is the
-- Python library's: a name may end in '|'.
function entry.split(value)
    local prev, next, expiry = string.match(value, "^(.*)||(.*)||(.*)$")
    if not prev or (prev == ALLOCATED) ~= (next == ALLOCATED) then
        return nil
    end
    if expiry ~= "-1" and not tonumber(expiry) then
        return nil
    end
    return prev, next, expiry
end

-- Can a list hold the name? Only others can have put in one that would be misread behind '||'.
function entry.is_fit(name)
    return name ~= "" and name ~= ALLOCATED and string.sub(name, 1, 1) ~= "|"
        and not string.find(name, "||", 1, true)
end

-- Remembers a value of the hash (nil or false: no entry) and returns its prev.
function entry.keep(name, value)
    if not value then
        prev_of[name] = ABSENT
        return ABSENT
    end
    if value == ALLOCATED_FOR_EVER then
        prev_of[name], next_of[name], expiry_of[name] = ALLOCATED, ALLOCATED, "-1"
        return ALLOCATED
    end
    local prev, next, expiry = entry.split(value)
    if not prev then
        prev_of[name] = MALFORMED
        return MALFORMED
    end
    prev_of[name], next_of[name], expiry_of[name] = prev, next, expiry
    return prev
end

-- The entry's prev; ABSENT or MALFORMED.
function entry.of(name)
    local prev = prev_of[name]
    if prev == nil then
        prev = entry.keep(name, redis.call("HGET", key.pool, name))
    end
    return prev
end

-- Reads the entries of many names, those that are not known yet.
function entry.read(names)
    local unknown = {}
    for i = 1, #names do
        if prev_of[names[i]] == nil then
            unknown[#unknown + 1] = names[i]
        end
    end
    for i = 1, #unknown, CHUNK do
        local last = math.min(i + CHUNK - 1, #unknown)
        local values = redis.call("HMGET", key.pool, unpack(unknown, i, last))
        for k = i, last do
            entry.keep(unknown[k], values[k - i + 1])
        end
    end
end

local function broken(what, name)
    return "BROKEN " .. what .. " " .. shown(name)
end

function entry.is_free(prev)
    return prev and prev ~= MALFORMED and prev ~= ALLOCATED
end

-- Whole Unix seconds as the hash has them, from a time span in ms.
function entry.expiry_after(ms)
    if ms <= 0 then
        return "-1"
    end
    return plain(math.ceil((clock() + ms) / 1000))
end

-- Has the expiry passed? The Python library's rule: whole seconds, 0 or less is never.
function entry.is_past(expiry)
    if expiry == "-1" then
        return false
    end
    local at = tonumber(expiry)
    clock()
    return at > 0 and at <= now_s
end

-- prelude: Redis' time, bounds of variadic calls, shapes of errors (part of every script).
-- Knows: Redis.  Must not know: pools.

-- Arguments of one call: Lua's stack takes about 8,000. Even, so that pairs stay together.
local CHUNK = 4000
-- 31,000 years: Redis refuses times that overflow when now is added, and it would refuse them late.
local LONGEST_MS = 1e15

local now_s, now_ms, now_us

-- Redis' time in ms, the same for the whole script.
local function clock()
    if not now_ms then
        local time = redis.call("TIME")
        now_s = tonumber(time[1])
        now_us = now_s * 1000000 + tonumber(time[2])
        now_ms = math.floor(now_us / 1000)
    end
    return now_ms
end

-- A time span of ARGV; <= 0 means for ever.
local function span(text)
    return math.min(tonumber(text) or 0, LONGEST_MS)
end

local function plain(n)
    return string.format("%.0f", n)
end

-- A name as an error text can show it: one line, not too long.
local function shown(name)
    if #name > 100 then
        name = string.sub(name, 1, 97) .. "..."
    end
    return "'" .. string.gsub(name, "%c", "?") .. "'"
end

-- An error reply: its first word is the kind.
local function refusal(text)
    return redis.error_reply(text)
end

local function is_error(reply)
    return type(reply) == "table" and reply.err ~= nil
end

-- command key args..., in as many calls as needed.
local function call_each(command, key, args)
    for i = 1, #args, CHUNK do
        redis.call(command, key, unpack(args, i, math.min(i + CHUNK - 1, #args)))
    end
end

-- Is there an option of this letter among them?
local function has_option(more, letter)
    return string.find("\1" .. more, "\1" .. letter, 1, true) ~= nil
end

-- Further options in one text, each a letter and its value, separated by \1: letter -> its values.
local function options_of(more)
    local options = {}
    for letter, value in string.gmatch(more, "(%a)([^\1]*)\1?") do
        options[letter] = options[letter] or {}
        table.insert(options[letter], value)
    end
    return options
end

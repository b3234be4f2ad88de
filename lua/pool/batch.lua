-- batch: goes over the operations of a batch, in the order given: malloc, free, renew, and those of who
-- waits; what is free then is handed to who waits.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: daemon sequence mode(exclusive|shared) then operations, each a letter and its args: see malloc, free, renew, waiting
-- returns: one element an operation; or error STALE for the whole when the journal has this sequence already (nothing done)
-- include: pool/malloc.lua
-- include: pool/free.lua
-- include: pool/renew.lua
-- include: pool/waiting.lua
-- include: pool/data.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]
malloc.is_shared = ARGV[3] == "shared"

local ARGS_OF = { M = 9, R = 4, K = 4, W = 12, E = 3, B = 2, H = 2, X = 2, G = 7 } -- of an operation, with its letter

-- The entry that an operation names, if that can be told at once.
local function named(resource, token)
    if slot.open() and token == "" then
        return nil
    end
    return slot.of_token(resource, token)
end

-- Reads in few calls what the operations will ask for: ends, lease keys and entries. Nothing is
-- written before every key's type is known to be right. `has_line`: somebody waits.
local function read_ahead(has_line)
    local keys, leased, names = { key.head, key.tail }, {}, {}
    local at = 4
    while ARGV[at] do
        local letter = ARGV[at]
        if letter == "R" or letter == "K" then
            leased[#leased + 1] = named(ARGV[at + 1], ARGV[at + 2])
            names[#names + 1] = leased[#leased]
        elseif letter == "F" or letter == "G" then
            for i = at + 4, at + 3 + tonumber(ARGV[at + 3]) do
                leased[#leased + 1] = named(ARGV[i], ARGV[at + 1])
                names[#names + 1] = leased[#leased]
            end
        elseif not ARGS_OF[letter] then
            return refusal("ERR unknown operation " .. shown(letter))
        end
        has_line = has_line or waiting.needs_line(at)
        at = at + (ARGS_OF[letter] or 4 + tonumber(ARGV[at + 3]))
    end
    redis.call("ZCARD", key.index)
    aside.open()
    local few = math.min(#leased, CHUNK)
    for i = 1, few do
        keys[i + 2] = key.lease(leased[i])
    end
    local values = redis.call("MGET", unpack(keys))
    list.start(values[1], values[2])
    for i = 1, few do
        value_of[leased[i]] = values[i + 2]
    end
    if #leased > few then
        for i, value in ipairs(key.values(leased)) do
            value_of[leased[i]] = value
        end
    end
    names[#names + 1] = list.head ~= "" and list.head or nil
    names[#names + 1] = list.tail ~= "" and list.tail or nil
    if #names == 0 then
        redis.call("HLEN", key.pool)
    end
    entry.read(names)
    return has_line and wait.open(ARGV[1]) or nil
end

local function run_one(letter, at, holder, more)
    if letter == "M" then
        return data.with(serve.malloc(malloc.ask(ARGV, at + 1, holder, more)), more)
    elseif letter == "F" then
        return free.run(at, more)
    elseif letter == "R" or letter == "K" then
        return renew(at)
    elseif letter == "G" then
        return free.leave(at)
    elseif letter == "W" then
        return waiting.ask(at, holder, more)
    elseif letter == "E" then
        return waiting.leave(at, more)
    end
    return waiting.beat(at)
end

local function run()
    local known = redis.call("HMGET", key.journal, "fence", ARGV[1], "waiting", "rules", "marks",
        "units")
    if known[2] and tonumber(string.match(known[2], "^%d+") or 0) >= tonumber(ARGV[2]) then
        return refusal("STALE this batch has been done or recalled")
    end
    read_rules(known[4])
    mark.read(known[5])
    slot.open(known[6])
    grants.open(known[1])
    local refused = read_ahead(known[3] ~= false)
    if refused then
        return refused
    end
    fair.open()
    local replies, at, holder, more = {}, 4, "", ""
    while ARGV[at] do
        local letter = ARGV[at]
        if letter == "H" then
            holder = ARGV[at + 1]
        elseif letter == "X" then
            more = ARGV[at + 1]
        else
            replies[#replies + 1] = slot.tell(run_one(letter, at, holder, more), more)
            holder, more = "", ""
        end
        at = at + (ARGS_OF[letter] or 4 + tonumber(ARGV[at + 3]))
    end
    serve.run()
    index.write()
    list.write()
    if #grants.list > 0 then
        grants.write(ARGV[1], ARGV[2])
    else
        grants.write_fence()
    end
    serve.mark(known[3] ~= false)
    waiting.tell()
    return replies
end

return run()
